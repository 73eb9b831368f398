package keys

import (
	"slices"
	"testing"
)

func has(s Set, a Action) bool {
	return slices.ContainsFunc(s, func(b Binding) bool { return b.Do == a })
}

func TestNoKeyIsBoundTwiceInOnePlace(t *testing.T) {
	seen := map[Place]map[string]string{}
	for _, b := range Bindings {
		for _, k := range b.Keys {
			if seen[b.Place] == nil {
				seen[b.Place] = map[string]string{}
			}
			if other, twice := seen[b.Place][k]; twice {
				t.Errorf("%s is both %q and %q", k, other, b.Help)
			}
			seen[b.Place][k] = b.Help
		}
	}
}

func TestTheTableListsEveryBindingUnderItsTopic(t *testing.T) {
	rows := Bindings.Table()
	if len(rows) != len(Bindings) {
		t.Errorf("%d rows for %d bindings", len(rows), len(Bindings))
	}
	seen, topic := map[Topic]bool{}, Topic("")
	for _, k := range rows {
		if k.Keys == "" || k.Does == "" || k.Topic == "" {
			t.Errorf("a row is incomplete: %+v", k)
		}
		if k.Topic != topic && seen[k.Topic] {
			t.Errorf("the rows of %q do not stand together", k.Topic)
		}
		topic, seen[k.Topic] = k.Topic, true
	}
}

func TestARemoteScreenHasNoKeyThatActsOnTheHost(t *testing.T) {
	remote := Bindings.For(true, false)
	for _, a := range []Action{Replay, Edit, Export, Picture, Suspend} {
		if has(remote, a) {
			t.Errorf("a remote screen has the key for action %d", a)
		}
	}
	for _, a := range []Action{CopyID, CopyPayload, Filter, Freeze, Theme, Present, Quit} {
		if !has(remote, a) {
			t.Errorf("a remote screen lacks the key for action %d", a)
		}
	}
}

func TestAPrivateScreenHasNoKeyThatRevealsWhatIsHidden(t *testing.T) {
	private := Bindings.For(true, true)
	for _, a := range []Action{Present, CopyPayload, CopyCurl, CopyURL} {
		if has(private, a) {
			t.Errorf("a private screen has the key for action %d", a)
		}
	}
	if got := private.Lookup("P", InList); got != None {
		t.Errorf("P does %d on a private screen", got)
	}
}
