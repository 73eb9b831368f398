package source

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// name runs test with names whose Run is under way, in virtual time. changes
// counts how often a name came.
func name(t *testing.T, test func(t *testing.T, n *Names, a *account, changes *int)) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{refuse: map[string]error{}}
		changes := 0
		n := NewNames(a, func() { changes++ })
		stop := start(t, n.Run)
		synctest.Wait()
		test(t, n, a, &changes)
		stop()
	})
}

func TestNamesAreAskedForTwiceASecondAtMost(t *testing.T) {
	name(t, func(t *testing.T, n *Names, a *account, changes *int) {
		ids := []string{"a", "b", "c", "d", "e", "", "a"}
		for range 200 { // frames
			n.Want(ids...)
			pass(50 * time.Millisecond)
		}
		polls, asked := a.calls()
		if !slices.Equal(asked, []string{"a", "b", "c", "d", "e"}) || *changes != 5 {
			t.Errorf("asked for %q, %d names came", asked, *changes)
		}
		for i := range polls[1:] {
			if d := polls[i+1].Sub(polls[i]); d < 500*time.Millisecond {
				t.Errorf("%v between two calls", d)
			}
		}
		if got, ok := n.Get("c"); got != "name of c" || !ok {
			t.Errorf("the name is %q, %v", got, ok)
		}
		if got, ok := n.Get("f"); ok {
			t.Errorf("one that nobody wanted is called %q", got)
		}
	})
}

func TestOnlyWhatIsLookedAtNowIsAskedFor(t *testing.T) {
	name(t, func(t *testing.T, n *Names, a *account, _ *int) {
		n.Want("a", "b", "c")
		pass(100 * time.Millisecond)
		n.Want("x", "y")
		pass(10 * time.Second)
		n.Want()
		pass(10 * time.Second)
		if _, asked := a.calls(); !slices.Equal(asked, []string{"a", "x", "y"}) {
			t.Errorf("asked for %q", asked)
		}
	})
}

func TestAnAssetThatCannotBeAskedForIsAskedForMuchLater(t *testing.T) {
	name(t, func(t *testing.T, n *Names, a *account, changes *int) {
		a.set(func() { a.refuse["a"] = refusal(404) })
		for range 14 * 60 {
			n.Want("a", "b")
			pass(time.Second)
		}
		if _, asked := a.calls(); !slices.Equal(asked, []string{"a", "b"}) || *changes != 1 {
			t.Errorf("asked for %q, %d names came", asked, *changes)
		}
		if _, ok := n.Get("a"); ok {
			t.Error("a refused asset has a name")
		}
		a.set(func() { delete(a.refuse, "a") })
		for range 2 * 60 {
			n.Want("a", "b")
			pass(time.Second)
		}
		if got, _ := n.Get("a"); got != "name of a" {
			t.Errorf("after a quarter of an hour it is called %q", got)
		}
	})
}

func TestTroubleWithTheNetworkIsNoAssetsFault(t *testing.T) {
	name(t, func(t *testing.T, n *Names, a *account, _ *int) {
		a.set(func() { a.err = errors.New("no connection") })
		n.Want("a", "b")
		pass(150 * time.Second)
		if _, asked := a.calls(); !slices.Equal(asked, []string{"a", "a", "a"}) {
			t.Errorf("asked for %q in two and a half minutes", asked)
		}
		e := refusal(429)
		e.RetryAfter = 10 * time.Minute
		a.set(func() { a.err = e })
		pass(9 * time.Minute)
		if _, asked := a.calls(); len(asked) != 4 {
			t.Errorf("asked %d times although the server wants to be left alone", len(asked))
		}
		a.set(func() { a.err = nil })
		pass(5 * time.Minute)
		if got, _ := n.Get("b"); got != "name of b" {
			t.Errorf("in the end it is called %q", got)
		}
	})
}
