package demo

import (
	"math"
	"math/rand/v2"
	"time"
)

// dice is chance with a fixed seed.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 2026))} }

// chance is true with probability p.
func (d dice) chance(p float64) bool { return d.Float64() < p }

// between is a whole number from a to b.
func (d dice) between(a, b int) int { return a + d.IntN(b-a+1) }

// logNormal is how long things take: mostly near the median, now and then far above.
func (d dice) logNormal(median, sigma float64) float64 {
	return median * math.Exp(sigma*d.NormFloat64())
}

// moment is a time of work on a day.
func (d dice) moment(day time.Time) time.Time {
	span := int64((dayEnds - dayBegins) / time.Second)
	return working(midnight(day).Add(dayBegins + time.Duration(d.Int64N(span))*time.Second))
}

func pick[T any](d dice, from []T) T { return from[d.IntN(len(from))] }

// weighted picks an index with a chance in proportion to its weight.
func (d dice) weighted(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := d.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return 0
}
