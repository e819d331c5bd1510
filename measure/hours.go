package measure

import "time"

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
		i := l.Hour - first
		if i < 0 || i >= int64(len(out)) {
			continue
		}
		for k, v := range l.volumes {
			sum := out[i].Volumes[k]
			out[i].Volumes[k] = Volume{sum.Messages + v.Messages, sum.Recipients + v.Recipients}
		}
	}
	return out
}

// maxHours is three years: more than any leaf is kept.
const maxHours = 3 * 366 * 24
