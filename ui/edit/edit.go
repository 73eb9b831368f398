// Package edit has a body changed in the user's editor.
package edit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"aspectop/ui/draw"
)

// maxEdited is how much of an edited file is read, in bytes: more than any body laid out.
const maxEdited = 16 << 20

// maxLaidOut is the depth to which JSON is laid out; its indentation grows with it.
const maxLaidOut = 200

// ErrEmpty means that nothing is left in the file.
var ErrEmpty = errors.New("the edited file is empty")

// Draft is a body in a file for the editor.
type Draft struct {
	Before string // as it was given to the editor
	dir    string // private, for the file and for what editors put beside it
	name   string
}

// New writes the file, which Close removes.
func New(name string, body []byte) (d Draft, err error) {
	d = Draft{Before: LaidOut(body), name: name + ".json"}
	if d.dir, err = os.MkdirTemp("", "aspectop-edit-"); err != nil {
		return d, err
	}
	if err = os.WriteFile(d.Path(), []byte(d.Before), 0o600); err != nil {
		d.Close()
	}
	return d, err
}

// Path is where the file is.
func (d *Draft) Path() string { return filepath.Join(d.dir, d.name) }

// Close removes the file.
func (d *Draft) Close() error { return os.RemoveAll(d.dir) }

// Edited is the file's text, given how the editor ended.
func (d *Draft) Edited(ended error) ([]byte, error) {
	switch {
	case errors.Is(ended, exec.ErrNotFound):
		return nil, fmt.Errorf("the editor was not found (%w): set EDITOR", ended)
	case ended != nil:
		return nil, fmt.Errorf("the editor failed (%w)", ended)
	}
	f, err := os.Open(d.Path())
	if err != nil {
		return nil, fmt.Errorf("the edited file cannot be read (%w)", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxEdited+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxEdited:
		return nil, fmt.Errorf("the edited file is larger than %d MiB", maxEdited>>20)
	case len(bytes.TrimSpace(b)) == 0:
		return nil, ErrEmpty
	}
	return b, nil
}

// LaidOut is a body to be edited: JSON in lines, all else as it is, with a final newline.
func LaidOut(body []byte) string {
	var b bytes.Buffer
	if draw.JSONDepth(body) > maxLaidOut || json.Indent(&b, bytes.TrimSpace(body), "", "  ") != nil {
		b.Reset()
		b.Write(bytes.TrimSuffix(body, []byte{'\n'}))
	}
	return b.String() + "\n"
}

// Compacted is an edited body to be sent: compact JSON or, with the reason why it is none,
// the text without its final newline.
func Compacted(edited []byte) (body []byte, flaw string) {
	var b bytes.Buffer
	if err := json.Compact(&b, edited); err != nil {
		return bytes.TrimSuffix(edited, []byte{'\n'}), err.Error()
	}
	return b.Bytes(), ""
}
