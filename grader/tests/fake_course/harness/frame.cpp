// What every program is composed with.
