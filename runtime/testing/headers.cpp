// Nothing: the headers that every test includes are compiled ahead with this file's target.
