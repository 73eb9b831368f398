package exit

import (
	"io"
	"strings"
	"sync"

	"aspectop/clean"
)

// leaving is what an exit without clean-up would leave behind.
var leaving struct {
	sync.Mutex
	text string
}

// Leave sets what an exit without clean-up would leave behind outside this machine,
// and what to do about it, as one sentence. A second ctrl+c says it before it exits;
// what is left on this machine the next start clears up by itself. An empty text means
// nothing.
func Leave(text string) {
	leaving.Lock()
	defer leaving.Unlock()
	leaving.text = text
}

// sayLeft writes what is left behind, in one write so that it stays whole beside
// other output.
func sayLeft(w io.Writer) {
	leaving.Lock()
	defer leaving.Unlock()
	if leaving.text != "" {
		io.WriteString(w, "\naspectop: "+strings.TrimSpace(clean.Text(leaving.text))+"\n")
	}
}
