package model

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

// Durations is a multiset of durations, kept as a histogram: it takes at most
// 8 KiB, whatever it holds, and its quantiles are off by at most 1.6 %.
type Durations struct {
	count   int
	buckets []uint32 // by bucketOf; no longer than the greatest duration needs

	half      time.Duration // the median
	halfFresh bool          // since the last change
}

// Count is the number of durations.
func (d *Durations) Count() int { return d.count }

// Quantile returns the duration that a share of q of all do not exceed, within
// 1.6 % of its value; ok is false if there is none. q is between 0 and 1.
func (d *Durations) Quantile(q float64) (value time.Duration, ok bool) {
	if d.count == 0 {
		return 0, false
	}
	rank := min(max(int(math.Ceil(q*float64(d.count))), 1), d.count)
	for i, n := range d.buckets {
		if rank -= int(n); rank <= 0 {
			return bucketMiddle(i), true
		}
	}
	return 0, false
}

// median is the median if it stands on enough durations. It is worked out once
// after each change, as estimates ask for it time and again.
func (d *Durations) median(enough int) (time.Duration, bool) {
	if d.count < enough {
		return 0, false
	}
	if !d.halfFresh {
		d.half, _ = d.Quantile(0.5)
		d.halfFresh = true
	}
	return d.half, true
}

// add enters a duration n times, or takes it out if n is -1. A negative
// duration counts as 0.
func (d *Durations) add(length time.Duration, n int) {
	i := bucketOf(max(0, length))
	if i >= len(d.buckets) {
		d.buckets = slices.Grow(d.buckets, i+1-len(d.buckets))[:i+1]
	}
	d.buckets[i] += uint32(n)
	d.count += n
	d.halfFresh = false
}

// Buckets of a power of two are divided into 32 of equal width. So the middle
// of a bucket is off by half a width, a 64th, from its bounds. Below 64 ns each
// duration has a bucket of its own.
const bucketBits = 5

func bucketOf(d time.Duration) int {
	shift := max(0, bits.Len64(uint64(d))-bucketBits-1)
	return shift<<bucketBits + int(d>>shift)
}

func bucketMiddle(i int) time.Duration {
	shift := max(0, i>>bucketBits-1)
	low := time.Duration(i-shift<<bucketBits) << shift
	return low + (1<<shift-1)/2
}
