module aspectop/compat

go 1.26
