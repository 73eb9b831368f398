package printer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"aspectop/clean"
	"aspectop/model"
)

// texts adds what is hard to show or to write down in a program.
func texts(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	for _, text := range []string{
		"'", `'\''`, "`id`", "$(id)", "${x}", `\`, `\'`, "`", "\"", "\\u0027", "*/", "</script>", "a\x00b", "\r\n", "\u2028", "\ufeff", "%s", "!!", "-n", "",
	} {
		f.Add(text)
	}
}

// FuzzLines checks that whatever a delivery holds, its sentence and its JSON are
// a line each in which nothing acts on a terminal, and that the JSON is true.
func FuzzLines(f *testing.F) {
	for _, text := range hostile {
		f.Add(text, text, []byte(envelope("task.progress", taskA, 1, "visual", "queued")))
		f.Add(text, text, []byte(`{"event_type":`+quote(text)+`,"data":{"task":{"id":`+quote(text)+`,"features":{`+quote(text)+`:{"state":`+quote(text)+`}}}}}`))
	}
	f.Fuzz(func(t *testing.T, id, value string, body []byte) {
		d := delivery(id, 0, string(body))
		d.Secret, d.Header = value, map[string][]string{value: {value, id}}
		for _, format := range []Format{Plain, JSON} {
			p := took(t, Options{Format: format}, d)
			p.lines.rejected(noon, &model.Rejected{ID: id, Verdict: model.Verdict{Reason: model.NoMatch, Detail: value}})
			p.lines.forward(noon, &model.Forward{Seq: 1, To: value, Error: value, Hint: id})
			for line := range strings.Lines(p.buf.String()) {
				checkSafe(t, line)
				if format == JSON && !json.Valid([]byte(line)) {
					t.Errorf("no JSON: %s", line)
				}
			}
		}
		d.Seq, d.Message, d.Attempt = 1, 1, 1
		var out bytes.Buffer
		deliveryLine(&out, &d)
		checkSafe(t, out.String())
		var back struct {
			ID      string
			Headers map[string][]string
			Body    *string
			Base64  *string `json:"body_base64"`
		}
		if err := json.Unmarshal(out.Bytes(), &back); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
		kept := ""
		if back.Body != nil {
			kept = *back.Body
		} else if back.Base64 != nil {
			b, err := base64.StdEncoding.DecodeString(*back.Base64)
			if err != nil {
				t.Fatal(err)
			}
			kept = string(b)
		}
		if kept != string(body) || back.ID != shown(id) {
			t.Errorf("%q with the body %q came back as %q, %q", id, body, back.ID, kept)
		}
	})
}

// FuzzCurl checks that whatever a delivery holds, a shell takes the command for
// one pipeline whose words are the data, and nothing in it is carried out.
func FuzzCurl(f *testing.F) {
	texts(f)
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("runs where there is a POSIX shell")
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := &model.Delivery{Header: map[string][]string{"Svix-Id": {text}, "Svix-Signature": {text, "v1,x"}}, Body: []byte(text)}
		line := Curl(d, "http://h/"+text)
		checkSafe(t, line+"\n")
		// PATH is empty, so that a word that became a command could do nothing.
		cmd := exec.CommandContext(t.Context(), sh, "-c", `base64() { cat; }; `+fakeCurl+line)
		cmd.Env = []string{"PATH="}
		cmd.Args[2] = strings.Replace(cmd.Args[2], "cat;", `while IFS= read -r l || [ -n "$l" ]; do printf '<%s>' "$l"; done;`, 2)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v, %s", line, err, out)
		}
		value := func(s string) string { return "[" + clean.Text(s) + "]\n" }
		want := "[-sS]\n[-X]\n[POST]\n[--data-binary]\n[@-]\n" +
			"[-H]\n" + value("Svix-Id: "+text) + "[-H]\n" + value("Svix-Signature: "+text) + "[-H]\n[Svix-Signature: v1,x]\n[-w]\n[ %{http_code} #0\\n]\n" + value("http://h/"+text)
		if encoded := base64.StdEncoding.EncodeToString(d.Body); encoded != "" {
			want += "<<" + encoded + ">>"
		}
		if string(out) != want {
			t.Errorf("%q became\n%s\nwant\n%s", text, out, want)
		}
	})
}

// FuzzGoFixture checks that whatever a delivery holds is in the Go program as
// literals of just that, and that the program has no node beside them.
func FuzzGoFixture(f *testing.F) {
	texts(f)
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		languages[0].write(&out, &model.Delivery{ID: text, Body: []byte(text)}, [][2]string{{text, text}})
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n\nvar x = []delivery{\n"+out.String()+"}\n", parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%v:\n%s", err, out.String())
		}
		var literals []string
		nodes := 0
		ast.Inspect(file, func(n ast.Node) bool {
			if n != nil {
				nodes++
			}
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				literals = append(literals, constant.StringVal(constant.MakeFromLiteral(l.Value, l.Kind, 0)))
			}
			return true
		})
		if want := []string{text, "svix", text, text, text}; fmt.Sprintf("%q", literals) != fmt.Sprintf("%q", want) || nodes != 20 {
			t.Errorf("%q became %q in %d nodes:\n%s", text, literals, nodes, out.String())
		}
		if !utf8.Valid(out.Bytes()) {
			t.Error("the program is no UTF-8")
		}
	})
}

// FuzzNodeFixture checks that whatever a delivery holds is in the JavaScript
// program as string literals of just that. A JSON string without U+2028 and
// U+2029 is a JavaScript string too (ECMA-262, from 2019 with them).
func FuzzNodeFixture(f *testing.F) {
	texts(f)
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		languages[1].write(&out, &model.Delivery{ID: text, Body: []byte(text)}, [][2]string{{text, text}})
		checkSafe(t, strings.ReplaceAll(out.String(), "\n", "")+"\n")
		lines := strings.Split(out.String(), "\n")
		if len(lines) != 7 {
			t.Fatalf("%d lines:\n%s", len(lines), out.String())
		}
		literal := func(line, before, after string) string {
			inner, ok1 := strings.CutPrefix(lines[1:][indexOf(line)], before)
			inner, ok2 := strings.CutSuffix(inner, after)
			var s string
			if err := json.Unmarshal([]byte(inner), &s); err != nil || !ok1 || !ok2 {
				t.Fatalf("%s: %v in\n%s", line, err, out.String())
			}
			return s
		}
		if got := literal("id", "    id: ", ","); got != valid(text) {
			t.Errorf("the id %q became %q", text, got)
		}
		var pair []string
		inner := strings.TrimSuffix(strings.TrimPrefix(lines[3], "    headers: ["), "],")
		if err := json.Unmarshal([]byte(inner), &pair); err != nil || len(pair) != 2 || pair[0] != valid(text) || pair[1] != valid(text) {
			t.Errorf("the header %q became %s (%v)", text, lines[3], err)
		}
		if utf8.ValidString(text) {
			if got := literal("body", "    body: ", ","); got != text {
				t.Errorf("the body %q became %q", text, got)
			}
		} else if b, err := base64.StdEncoding.DecodeString(literal("body", "    body: Buffer.from(", ", 'base64'),")); err != nil || string(b) != text {
			t.Errorf("the body %q became %q (%v)", text, b, err)
		}
	})
}

// indexOf is the place of a property in what a fixture for Node has.
func indexOf(property string) int {
	return map[string]int{"id": 0, "family": 1, "headers": 2, "body": 3}[property]
}
