package printer

import (
	"aspectop/clean"
	"aspectop/jsonl"
)

// Deprecated: for rooms under change; see packages clean and jsonl.
func Clean(s string) string      { return clean.Text(s) }
func CleanLines(s string) string { return clean.Lines(s) }
func SafeJSON(b []byte) []byte   { return jsonl.Safe(b) }
