module github.com/colaflow/colaflow

go 1.26
