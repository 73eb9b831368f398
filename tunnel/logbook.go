package tunnel

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"aspectop/clean"
)

const (
	logLines = 40      // lines kept
	logLine  = 8 << 10 // bytes read of a line
)

type remark struct {
	at    time.Time // when it was read
	text  string    // clean, without the token
	trace bool      // a log line; other lines are error messages
	bad   bool      // the log calls it an error
}

// logbook reads the program's output and keeps the end of it. It never blocks: with a
// full pipe cloudflared would hang, and with it the requests.
type logbook struct {
	secret string // removed from every line
	// metrics receives the address of the metrics server.
	metrics chan string

	mu      sync.Mutex
	part    []byte // an incomplete line
	remarks []remark
	started bool   // metrics was sent
	usage   string // the usage error before the help text
}

func newLogbook(secret string) *logbook {
	return &logbook{secret: secret, metrics: make(chan string, 1)}
}

// Write accepts any part of the output and never fails.
func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for piece := range bytes.Lines(p) {
		line, ended := bytes.CutSuffix(piece, []byte("\n"))
		b.part = append(b.part, line[:min(len(line), logLine-len(b.part))]...)
		if ended {
			b.flush()
		}
	}
	return len(p), nil
}

func (b *logbook) flush() {
	b.line(string(b.part))
	b.part = b.part[:0]
}

var metricsLine = regexp.MustCompile(`Starting metrics server on (127\.0\.0\.1:\d{1,5})/metrics`)

func (b *logbook) line(line string) {
	if m := metricsLine.FindStringSubmatch(line); m != nil && !b.started {
		b.started = true
		b.metrics <- m[1]
	}
	r := read(line)
	r.at = time.Now()
	if b.secret != "" {
		r.text = strings.ReplaceAll(r.text, b.secret, "…")
	}
	if r.text = clean.Line(r.text); r.text == "" {
		return
	}
	slog.Debug("cloudflared", "line", r.text)
	if b.usage == "" && !r.trace && strings.HasPrefix(r.text, "Incorrect Usage") {
		b.usage = r.text
	}
	if b.remarks = append(b.remarks, r); len(b.remarks) > logLines {
		b.remarks = b.remarks[1:]
	}
}

// read parses a log line. Since 2025.6 they are JSON; before, the level was the second
// word.
func read(line string) remark {
	var entry struct {
		Level, Message, Error string
		Status                string `json:"status_code"`
	}
	if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &entry) == nil {
		parts := slices.DeleteFunc([]string{entry.Error, entry.Status}, func(s string) bool { return s == "" })
		return remark{
			text: strings.Join(append([]string{entry.Message}, parts...), ": "), trace: true,
			bad: entry.Level == "error" || entry.Level == "fatal",
		}
	}
	if words := strings.SplitN(line, " ", 3); len(words) == 3 && len(words[1]) == 3 {
		switch level := words[1]; level {
		case "INF", "WRN", "DBG", "ERR", "FTL":
			return remark{text: words[2], trace: true, bad: level == "ERR" || level == "FTL"}
		}
	}
	return remark{text: line}
}

// misuse returns the program's usage error, "" if there is none.
func (b *logbook) misuse() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.usage
}

// find returns the newest line that contains any of the texts.
func (b *logbook) find(texts ...string) (line string, found bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range slices.Backward(b.remarks) {
		if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(r.text, text) }) {
			return r.text, true
		}
	}
	return "", false
}

// lastWords returns the program's reason for its exit: its last message outside the
// log, else the last error in the log, else "". Older output than since is ignored.
func (b *logbook) lastWords(since time.Time) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.part) > 0 { // no newline at the end
		b.flush()
	}
	words := ""
	for _, r := range slices.Backward(b.remarks) {
		switch {
		case r.at.Before(since):
			return words
		case !r.trace:
			return r.text
		case r.bad && words == "":
			words = r.text
		}
	}
	return words
}
