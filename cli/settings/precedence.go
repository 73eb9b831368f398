package settings

import (
	"strconv"

	"github.com/spf13/pflag"
)

// Places that a flag's value comes from; a greater one overrides the others.
const (
	unset = iota
	inFile
	inTable // of the command, in the file
	inEnvironment
	onLine
)

// placed notes where the value of a flag comes from: in words, and as one of the places.
func placed(flags *pflag.FlagSet, name, words string, place int) {
	flags.SetAnnotation(name, source, []string{words, strconv.Itoa(place)})
}

func placeOf(flags *pflag.FlagSet, name string) int {
	f := flags.Lookup(name)
	switch {
	case !f.Changed:
		return unset
	case len(f.Annotations[source]) == 0:
		return onLine
	}
	place, _ := strconv.Atoi(f.Annotations[source][1])
	return place
}

// InFile reports whether the value of a flag comes from the config file.
func InFile(flags *pflag.FlagSet, name string) bool {
	p := placeOf(flags, name)
	return p == inFile || p == inTable
}

// Overrides settles which of two flags counts that exclude each other: the one from the
// nearer place. The other is then as if it was not set. It returns false if both come
// from the same place.
func Overrides(flags *pflag.FlagSet, a, b string) bool {
	switch p, q := placeOf(flags, a), placeOf(flags, b); {
	case p > q:
		unsetFlag(flags, b)
	case p < q:
		unsetFlag(flags, a)
	default:
		return false
	}
	return true
}

// Waits has flags wait that only matter beside another one, which is not set: they are
// as if they were not set either. It returns false if one of them is on the command line.
func Waits(flags *pflag.FlagSet, names ...string) bool {
	for _, name := range names {
		if placeOf(flags, name) == onLine {
			return false
		}
	}
	for _, name := range names {
		unsetFlag(flags, name)
	}
	return true
}

func unsetFlag(flags *pflag.FlagSet, name string) {
	f := flags.Lookup(name)
	switch v := f.Value.(type) {
	case pflag.SliceValue:
		_ = v.Replace(nil)
	case interface{ clear() }:
		v.clear()
	default:
		_ = v.Set(f.DefValue)
	}
	f.Changed = false
	delete(f.Annotations, source)
}

// Adopt copies the values of flags that both sets have, where they come from a nearer
// place in from than in to.
func Adopt(to, from *pflag.FlagSet, names []string) {
	for _, name := range names {
		if placeOf(from, name) <= placeOf(to, name) {
			continue
		}
		of := from.Lookup(name)
		if list, ok := of.Value.(pflag.SliceValue); ok {
			_ = to.Lookup(name).Value.(pflag.SliceValue).Replace(list.GetSlice())
			to.Lookup(name).Changed = true
		} else {
			_ = to.Set(name, of.Value.String()) // which has been accepted once
		}
		if place := of.Annotations[source]; len(place) > 0 {
			to.SetAnnotation(name, source, place)
		}
	}
}
