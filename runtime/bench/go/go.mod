module goro/bars

go 1.22
