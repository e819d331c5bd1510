package console

import (
	"math"
	"time"
)

// hourChart is hourly volumes as bars on both sides of a line: honest above, spam below, so that the side tells them apart
// and not the colour alone. It is drawn in a box of its own units and stretched to the page; words stand beside it as
// HTML, so that they keep their size on a telephone.
type hourChart struct {
	Width, Height float64
	Line          float64 // height of the zero line
	Bars          []chartBar
	Labels        []time.Time // at every sixth bar
	Top           uint64      // messages at the upper edge
	Bottom        uint64      // at the lower edge
	HasBefore     bool
}

type chartBar struct {
	Hour         hourly
	X            float64
	HamY, HamH   float64
	SpamH        float64
	BeforeHamY   float64 // where a mark shows the week before; negative: none
	BeforeSpamY  float64
	HasHamBefore bool
	HasSpam      bool
}

const (
	chartStep   = 10.0 // of one hour
	chartHeight = 100.0
	labelEvery  = 6
)

func newChart(now, weekBefore []hourly) hourChart {
	c := hourChart{Width: chartStep * float64(len(now)), Height: chartHeight}
	for _, list := range [][]hourly{now, weekBefore} {
		for _, h := range list {
			c.Top, c.Bottom = max(c.Top, h.Ham), max(c.Bottom, h.Spam)
		}
	}
	if c.Top+c.Bottom == 0 {
		c.Line = chartHeight / 2
		return c
	}
	scale := chartHeight / float64(c.Top+c.Bottom)
	c.Line = round(float64(c.Top) * scale)
	for i, h := range now {
		b := chartBar{Hour: h, X: chartStep * float64(i), HamH: round(float64(h.Ham) * scale), SpamH: round(float64(h.Spam) * scale)}
		b.HamY = round(c.Line - b.HamH)
		if old := weekBefore[i]; old.Ham+old.Spam > 0 {
			c.HasBefore = true
			b.HasHamBefore, b.HasSpam = old.Ham > 0, old.Spam > 0
			b.BeforeHamY, b.BeforeSpamY = round(c.Line-float64(old.Ham)*scale), round(c.Line+float64(old.Spam)*scale)
		}
		c.Bars = append(c.Bars, b)
		if i%labelEvery == 0 {
			c.Labels = append(c.Labels, h.Time)
		}
	}
	return c
}

// round keeps two places: more are noise in the page.
func round(f float64) float64 { return math.Round(f*100) / 100 }
