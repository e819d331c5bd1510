package measure

import (
	"maps"
	"slices"
	"time"
)

// HourVolumes is the volumes of one hour, of all origins together.
type HourVolumes struct {
	Time    time.Time
	Volumes map[VolumeKey]Volume
}

// Hours are the volumes of every hour that begins in [from, to), in their order, also of those in which nothing came. It
// adds volumes only and so is cheap, where [Tallies.Total] merges sources and routes too.
func (t *Tallies) Hours(from, to time.Time) []HourVolumes {
	const hour = time.Hour
	var out []HourVolumes
	at := from.UTC().Truncate(hour)
	if at.Before(from) {
		at = at.Add(hour)
	}
	first := at.Unix() / 3600
	for ; at.Before(to) && len(out) < maxHours; at = at.Add(hour) {
		out = append(out, HourVolumes{at, map[VolumeKey]Volume{}})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.leaves {
		if i := l.Hour - first; i >= 0 && i < int64(len(out)) {
			addVolumes(out[i].Volumes, l.volumes)
		}
	}
	return out
}

// ByHour are the volumes of leaves by hour, in their order; hours without any are not there. Of several states of one leaf
// the latest counts.
func ByHour(leaves []*Leaf) []HourVolumes {
	at := map[int64]map[VolumeKey]Volume{}
	for _, l := range latestOf(leaves) {
		if at[l.Hour] == nil {
			at[l.Hour] = map[VolumeKey]Volume{}
		}
		addVolumes(at[l.Hour], l.volumes)
	}
	var out []HourVolumes
	for _, hour := range slices.Sorted(maps.Keys(at)) {
		out = append(out, HourVolumes{time.Unix(hour*3600, 0).UTC(), at[hour]})
	}
	return out
}

func addVolumes(to, from map[VolumeKey]Volume) {
	for k, v := range from {
		sum := to[k]
		to[k] = Volume{sum.Messages + v.Messages, sum.Recipients + v.Recipients}
	}
}

// maxHours is three years: more than any leaf is kept.
const maxHours = 3 * 366 * 24
