package rspamd

import (
	"maps"
	"net/http"
	"sync"
	"time"
)

// stat counts what passed this front door since it was opened, for /stat.
type stat struct {
	opened time.Time

	mu          sync.Mutex
	actions     map[string]int
	times       [scanTimes]*float64 // seconds; a ring
	scans       int
	learned     int
	connections int
}

// scanTimes are as many as rspamd shows.
const scanTimes = 31

func newStat() *stat {
	s := &stat{opened: time.Now(), actions: map[string]int{}}
	for _, a := range actions {
		s.actions[a] = 0
	}
	return s
}

func (s *stat) request() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections++
}

func (s *stat) scanned(action string, took time.Duration) {
	seconds := took.Seconds()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.actions[action]++
	s.times[s.scans%scanTimes] = &seconds
	s.scans++
}

func (s *stat) taught() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.learned++
}

// statReply has of rspamd's /stat what is so here, too; memory pools and the like are not.
type statReply struct {
	Uptime      int                 `json:"uptime"` // seconds
	ReadOnly    bool                `json:"read_only"`
	Scanned     int                 `json:"scanned"`
	Learned     int                 `json:"learned"`
	Actions     map[string]int      `json:"actions"`
	ScanTimes   [scanTimes]*float64 `json:"scan_times"`
	SpamCount   int                 `json:"spam_count"`
	HamCount    int                 `json:"ham_count"`
	Connections int                 `json:"connections"` // requests
	TotalLearns int                 `json:"total_learns"`
	Statfiles   []struct{}          `json:"statfiles"`
}

func (f *Rspamd) showStat(w http.ResponseWriter, _ *http.Request, _ string) {
	answer(w, http.StatusOK, f.stat.reply())
}

func (s *stat) reply() statReply {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := statReply{Uptime: int(time.Since(s.opened).Seconds()), Scanned: s.scans, Learned: s.learned, Actions: maps.Clone(s.actions),
		ScanTimes: s.times, Connections: s.connections, TotalLearns: s.learned, Statfiles: []struct{}{}}
	for action, n := range s.actions {
		if spam(action) {
			r.SpamCount += n
		} else {
			r.HamCount += n
		}
	}
	return r
}
