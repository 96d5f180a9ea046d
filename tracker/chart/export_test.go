package chart

// TextWidth is how wide a text is drawn.
func TextWidth(s string, size float64, bold bool) float64 {
	f, err := loadFonts()
	if err != nil {
		panic(err)
	}
	return f.width(s, style{size: size, bold: bold})
}

// Ticks are those of an axis that holds low and high.
func Ticks(low, high float64) []float64 { return niceValues(low, high).at() }
