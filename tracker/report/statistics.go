package report

import (
	"math"
	"slices"
)

// percentile is the smallest value that at least p percent of the values do not
// exceed: the nearest rank, so that it is always one of them. NaN of none.
func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// description is what there is to say of some values.
type description struct{ mean, median, deviation float64 }

// describe returns mean, median and the standard deviation of a sample (n-1),
// which is 0 of one value.
func describe(values []float64) description {
	if len(values) == 0 {
		return description{math.NaN(), math.NaN(), math.NaN()}
	}
	var d description
	for _, v := range values {
		d.mean += v / float64(len(values))
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	d.median = sorted[middle]
	if len(sorted)%2 == 0 {
		d.median = (sorted[middle-1] + sorted[middle]) / 2
	}
	if len(values) > 1 {
		sum := 0.0
		for _, v := range values {
			sum += (v - d.mean) * (v - d.mean)
		}
		d.deviation = math.Sqrt(sum / float64(len(values)-1))
	}
	return d
}

// fence is the value above which a value is an outlier: the third quartile and
// half as much again as the middle half spans (Tukey, Exploratory Data Analysis).
func fence(values []float64) float64 {
	low, high := percentile(values, 25), percentile(values, 75)
	return high + 1.5*(high-low)
}
