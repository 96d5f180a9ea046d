package tracker_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

func TestParseWeek(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   []string
		want []string
		code tenancy.Code
	}{
		{[]string{"mon", "tue"}, []string{"mon", "tue"}, ""},
		{[]string{"Sunday", "THU", "mon", "mon"}, []string{"mon", "thu", "sun"}, ""},
		{tracker.DayNames(), []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, ""},
		{[]string{" tues ", "Thurs", "wednes"}, []string{"tue", "wed", "thu"}, ""},
		{nil, nil, tenancy.Missing},
		{[]string{"monkey"}, nil, tenancy.InvalidValue},
		{[]string{"fri\u200b"}, nil, tenancy.InvalidValue},
		{[]string{"mo"}, nil, tenancy.InvalidValue},
		{[]string{""}, nil, tenancy.InvalidValue},
		{[]string{"mon", "noday"}, nil, tenancy.InvalidValue},
	} {
		w, err := tracker.ParseWeek(c.in)
		require.Equal(t, c.code, tenancy.CodeOf(err), c.in)
		if err == nil {
			require.Equal(t, c.want, w.Names())
		} else {
			require.Zero(t, w)
		}
	}
	require.Equal(t, []string{"mon", "tue", "wed", "thu", "fri"}, tracker.Week{}.Names())
	require.True(t, tracker.Week{}.Works(time.Friday))
	require.False(t, tracker.Week{}.Works(time.Sunday))
}

func TestWeek_JSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.SampledFrom(tracker.DayNames()), 1, 7, rapid.ID).Draw(t, "names")
		w, err := tracker.ParseWeek(names)
		require.NoError(t, err)
		require.ElementsMatch(t, names, w.Names())
		data, err := json.Marshal(w)
		require.NoError(t, err)
		var back tracker.Week
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, w, back)
	})
	var w tracker.Week
	require.Error(t, json.Unmarshal([]byte(`5`), &w))
}

func FuzzParseWeek(f *testing.F) {
	for _, seed := range []string{"mon", "MONDAY", "Thurs", "", "sunk", "sá", "\xffmo", "satur day"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		w, err := tracker.ParseWeek([]string{name})
		if err != nil {
			require.Equal(t, tenancy.InvalidValue, tenancy.CodeOf(err))
			require.Zero(t, w)
			return
		}
		require.Len(t, w.Names(), 1)
		require.Contains(t, strings.ToLower(name), w.Names()[0])
	})
}
