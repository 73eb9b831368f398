package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// Set returns the JSON document with the value at the path, which names a member of an
// object, or a place in an array, on each level; a place behind the last one appends.
// Members that are missing on the way are made. All other bytes stay as they are. The
// document and the value must be valid JSON.
func Set(document []byte, path []string, value []byte) ([]byte, error) {
	at := len(document) - len(bytes.TrimLeft(document, " \t\r\n"))
	old := bytes.TrimSpace(document)
	changed, err := set(old, path, bytes.TrimSpace(value))
	if err != nil {
		return nil, err
	}
	return slices.Concat(document[:at], changed, document[at+len(old):]), nil
}

// set is Set of a value without space around it.
func set(old []byte, path []string, value []byte) ([]byte, error) {
	if len(path) == 0 {
		return value, nil
	}
	if old[0] != '{' && old[0] != '[' {
		return nil, fmt.Errorf("%q has no place in %.40s, which is neither an object nor an array", path[0], old)
	}
	list := old[0] == '['
	index, err := strconv.Atoi(path[0])
	if list && (err != nil || index < 0) {
		return nil, fmt.Errorf("%q is no place in an array; places are numbers from 0", path[0])
	}
	d := json.NewDecoder(bytes.NewReader(old))
	read(d.Token()) // the opening bracket
	start, end, last := 0, 0, int(d.InputOffset())
	n := 0
	for ; d.More(); n++ {
		name := ""
		if !list {
			name = read(d.Token()).(string)
		}
		var element json.RawMessage
		read(0, d.Decode(&element))
		last = int(d.InputOffset())
		if list && n == index || !list && name == path[0] { // of a name that is repeated, the last member counts
			start, end = last-len(element), last
		}
	}
	if end > 0 {
		value, err = set(old[start:end], path[1:], value)
		return slices.Concat(old[:start], value, old[end:]), err
	}
	if list && index > n {
		return nil, fmt.Errorf("the array has %d elements, so there is no place %d in it", n, index)
	}
	if value, err = made(path[1:], value); err != nil {
		return nil, err
	}
	if !list {
		value = slices.Concat(Quoted(path[0]), []byte{':'}, value)
	}
	if n > 0 {
		value = slices.Concat([]byte{','}, value)
	}
	return slices.Concat(old[:last], value, old[last:]), nil
}

// made is a value at a path of which nothing is there yet.
func made(path []string, value []byte) ([]byte, error) {
	if len(path) == 0 {
		return value, nil
	}
	parent := "{}"
	if _, err := strconv.Atoi(path[0]); err == nil {
		parent = "[]"
	}
	return set([]byte(parent), path, value)
}

// read is what was read of a valid document.
func read[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Quoted is a text as JSON.
func Quoted(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	read(0, e.Encode(text))
	return bytes.TrimSpace(b.Bytes())
}

// Value is the JSON that a text is or, if it is none, the text as a JSON string.
func Value(text string) []byte {
	if json.Valid([]byte(text)) {
		return []byte(text)
	}
	return Quoted(text)
}
