package demo

import (
	"math/rand/v2"
	"time"
)

// deck deals its cards in random order and then shuffles them anew, so that
// each turns up as often as it should, and soon.
type deck[T any] struct {
	cards []T
	rest  []int
}

func (d *deck[T]) deal(r *rand.Rand) T {
	if len(d.rest) == 0 {
		d.rest = r.Perm(len(d.cards))
	}
	i := d.rest[0]
	d.rest = d.rest[1:]
	return d.cards[i]
}

func repeat[T any](n int, card T) []T {
	cards := make([]T, n)
	for i := range cards {
		cards[i] = card
	}
	return cards
}

var mixKinds = []kind{video, video, video, clip, clip, clip, interview, audio, audio, image, image}

// mix plans the built-in mix: rate new tasks a minute, total in all (0: endless).
func (w *world) mix(total int, rate float64) {
	w.staff(rate, mixKinds)
	kinds := deck[kind]{cards: mixKinds}
	fates := deck[fate]{cards: append(repeat(21, thrives), fails, fails, fails, recovers, recovers, relapses, cancelled)}
	arrivals := w.stream(1 << 63)

	// The opening is composed: one task well on its way, one begun, one new.
	opening := []struct {
		at time.Duration
		k  kind
		f  fate
		x  extra
	}{
		{-26 * time.Second, interview, thrives, noExtra},
		{-7 * time.Second, video, thrives, alongside},
		{300 * time.Millisecond, clip, thrives, afterwards},
	}
	for i, o := range opening {
		if total == 0 || i < total {
			w.at(o.at, func() { w.upload(o.k, o.f, o.x) })
		}
	}
	n := len(opening)
	var arrive func()
	gap := func() time.Duration {
		return time.Duration((0.5 + arrivals.Float64()) * 60 / rate * float64(time.Second))
	}
	arrive = func() {
		if total > 0 && n >= total {
			return
		}
		n++
		w.upload(kinds.deal(arrivals), fates.deal(arrivals), noExtra)
		w.at(w.now+gap(), arrive)
	}
	w.at(opening[2].at+gap(), arrive)
}
