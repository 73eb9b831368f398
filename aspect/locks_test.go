package aspect

import (
	"fmt"
	"sync"
	"testing"
)

func TestLeasesAtOnceDoNotFight(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	c := s.serve()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			r := NewLeases(c, dir)
			for j := range 8 {
				url := fmt.Sprintf("https://a.example/%d/%d", i, j)
				rec, err := r.Recover(t.Context(), url)
				if err != nil {
					t.Error(err)
					return
				}
				for _, f := range rec.Orphans {
					if f.Outcome != Repointed && f.Outcome != Kept {
						t.Errorf("found %v", f)
					}
				}
				g := rec.Lease
				if g == nil {
					if g, err = r.Register(t.Context(), url); err != nil {
						t.Error(err)
						return
					}
				}
				if s.urlOf(g.EndpointID) != url {
					t.Errorf("%s points to %v, not to %s", g.EndpointID, s.urlOf(g.EndpointID), url)
				}
				if (i+j)%4 == 0 {
					err = g.Keep()
				} else {
					_, err = g.Release(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	r := NewLeases(c, dir)
	for n := 0; len(s.alive()) > 0 && n < 100; n++ { // those that were kept
		rec := must(r.Recover(t.Context(), "https://a.example"))(t)
		if _, err := rec.Lease.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	nothingLeft(t, s, dir)
}

func TestANewNoteDoesNotFallToAnothersSweep(t *testing.T) {
	dir := t.TempDir()
	r := NewLeases(newStandIn(t).serve(), dir)
	ended := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				rec, err := r.Recover(t.Context(), "")
				if err != nil {
					t.Error(err)
					return
				}
				if len(rec.Orphans) > 0 {
					t.Errorf("found %v", rec.Orphans)
				}
			}
		})
	}
	for range 300 {
		f, err := r.create(EndpointSpec{URL: "https://a.example"}, "")
		if err != nil {
			t.Error(err)
			break
		}
		if kept, err := readLease(f.path()); err != nil || kept.Nonce != f.Nonce {
			t.Errorf("%v, %v", kept.Nonce, err)
		}
		if err := f.remove(); err != nil {
			t.Error(err)
		}
	}
	close(ended)
	wg.Wait()
	nothingLeft(t, nil, dir)
}
