package send

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"rempart/message"
)

// ended is the records of one call and its calls back; times are virtual, the call began at at.
type ended struct {
	at      time.Time
	records []message.CallRecord
}

const (
	// recordScale is how much sooner a call's record comes than the call would end: who watches does not wait for minutes.
	recordScale = 30
	// recordEvery is how often records are handed over.
	recordEvery = time.Second
	// maxRecords is the most in one request; as many more may wait, then they go at once.
	maxRecords = 1000
	// maxReply bounds what is read of an answer.
	maxReply = 1 << 16
)

// due is one record and when it is handed over.
type due struct {
	at     time.Time
	record message.CallRecord
}

// recorder hands the records of calls to the API door when the calls have ended, and at the end all that wait.
func (p *Player) recorder(ctx context.Context) {
	client := &http.Client{Timeout: answerTimeout}
	defer client.CloseIdleConnections()
	var waiting []due
	ticker := time.NewTicker(recordEvery)
	defer ticker.Stop()
	for {
		select {
		case e, ok := <-p.records:
			if !ok {
				p.handOver(ctx, client, waiting)
				return
			}
			now := time.Now()
			for _, r := range e.records {
				waiting = append(waiting, due{now.Add(r.Begun.Add(r.Duration).Sub(e.at) / recordScale), r})
			}
			if len(waiting) >= 2*maxRecords {
				p.handOver(ctx, client, waiting)
				waiting = waiting[:0]
			}
		case now := <-ticker.C:
			slices.SortStableFunc(waiting, func(a, b due) int { return a.at.Compare(b.at) })
			n, _ := slices.BinarySearchFunc(waiting, now, func(d due, t time.Time) int { return d.at.Compare(t) })
			p.handOver(ctx, client, waiting[:n])
			waiting = slices.Delete(waiting, 0, n)
		}
	}
}

// handOver posts records. Those that cannot be handed over are lost, as from an exchange that has no room to keep them.
func (p *Player) handOver(ctx context.Context, client *http.Client, list []due) {
	for some := range slices.Chunk(list, maxRecords) {
		if err := p.post(ctx, client, some); err != nil {
			p.cfg.Log.Warn("call records are lost", "records", len(some), "error", err)
			continue
		}
		p.set(func() { p.recorded += uint64(len(some)) })
	}
}

// recordJSON is one record as the API door takes it.
type recordJSON struct {
	CallID   string        `json:"call_id"`
	Caller   string        `json:"caller"`
	Callee   string        `json:"callee"`
	Begun    time.Time     `json:"begun"`
	Answered bool          `json:"answered"`
	Duration float64       `json:"duration"` // seconds
	HungUp   message.Party `json:"hung_up"`
}

func (p *Player) post(ctx context.Context, client *http.Client, list []due) error {
	out := make([]recordJSON, 0, len(list))
	for _, d := range list {
		r := d.record
		out = append(out, recordJSON{r.CallID, r.Caller, r.Callee, r.Begun, r.Answered, r.Duration.Seconds(), r.HungUp})
	}
	body, err := json.Marshal(out)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.cfg.API+"/v1/calls", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+p.cfg.Token)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %s: %s", resp.Status, text)
	}
	return err
}

// Recorded is how many call records the API door took.
func (p *Player) Recorded() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.recorded
}
