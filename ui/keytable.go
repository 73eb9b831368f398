package ui

import "strings"

// Key is one row of the key table, in words.
type Key struct {
	Where string // "Everywhere", "In lists" or "In text"
	Keys  string // as people write them, separated by spaces
	Does  string
}

// Keys is the table from which the keys, the help and the footer are made, for
// the manual. Rows of the same place stand together.
func Keys() []Key {
	var keys []Key
	for _, p := range []place{anywhere, inList, inText} {
		for _, b := range bindings {
			if b.place != p {
				continue
			}
			names := make([]string, len(b.keys))
			for i, k := range b.keys {
				names[i] = keyName(k)
			}
			keys = append(keys, Key{placeTitles[p], strings.Join(names, " "), b.help})
		}
	}
	return keys
}
