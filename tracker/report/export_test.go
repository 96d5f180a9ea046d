package report

// What tests compare with computations of their own.
var (
	Simulate   = simulate
	Percentile = percentile
	Fence      = fence
)

// Describe returns mean, median and deviation.
func Describe(values []float64) (mean, median, deviation float64) {
	d := describe(values)
	return d.mean, d.median, d.deviation
}
