package demo

import (
	"math/rand/v2"
	"slices"
	"time"
)

// The composition of the mix: decks from which kinds and extras are dealt. Of nine
// tasks one fails and one has other trouble.
var (
	mixKinds  = []kind{video, video, video, clip, clip, clip, interview, audio, audio, image, image}
	mixExtras = []extra{noExtra, noExtra, noExtra, noExtra, noExtra, alongside, afterwards}

	mixFailures = []fate{fails, fails, relapses}
	mixTroubles = []fate{recovers, cancelled, recovers, stalls}
)

const mixThriving = 7 // of nine

// The first tasks of the mix are fixed: one is far along, one has started, one is new,
// and the next ones show something interesting soon.
var opening = []struct {
	at    time.Duration // only of the first three
	kind  kind
	fate  fate
	extra extra
}{
	{-26 * time.Second, interview, thrives, noExtra},
	{-7 * time.Second, video, thrives, alongside},
	{300 * time.Millisecond, clip, thrives, afterwards},
	{kind: video, fate: stalls},
	{kind: audio, fate: thrives},
	{kind: clip, fate: recovers},
	{kind: image, fate: thrives},
	{kind: video, fate: fails},
}

// mix schedules the built-in mix: rate new tasks per minute, total in all (0: endless).
func (w *world) mix(total int, rate float64) {
	w.staff(rate, mixKinds)
	w.trouble()
	chance := w.stream(1 << 63)
	kinds, extras := newDeck(mixKinds, chance), newDeck(mixExtras, chance)
	thriving := newDeck([]fate{thrives}, chance)
	fates := newDeck(append(slices.Repeat([]*deck[fate]{thriving}, mixThriving),
		newDeck(mixFailures, chance), newDeck(mixTroubles, chance)), chance)
	gap := func() time.Duration {
		minutes := (0.5 + chance.Float64()) / max(rate, 1e-3) // a lower one would overflow
		return time.Duration(minutes * float64(time.Minute))
	}
	n := 0
	var arrive func()
	arrive = func() {
		if n < len(opening) {
			o := opening[n]
			w.upload(o.kind, o.fate, o.extra)
		} else {
			w.upload(kinds.deal(), fates.deal().deal(), extras.deal())
		}
		n++
		switch {
		case n == total:
		case n < 3:
			w.at(opening[n].at, arrive)
		default:
			w.at(w.now+gap(), arrive)
		}
	}
	w.at(opening[0].at, arrive)
}

// deck deals its cards in random order and reshuffles when all are dealt, which
// guarantees variety.
type deck[T any] struct {
	cards  []T
	chance *rand.Rand
	order  []int
}

func newDeck[T any](cards []T, chance *rand.Rand) *deck[T] {
	return &deck[T]{cards: cards, chance: chance}
}

func (d *deck[T]) deal() T {
	if len(d.order) == 0 {
		d.order = d.chance.Perm(len(d.cards))
	}
	card := d.cards[d.order[0]]
	d.order = d.order[1:]
	return card
}
