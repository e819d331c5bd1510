// Command beside puts a load of mails on servers of rspamd's HTTP protocol or of spamd's, one after the other and again in several
// rounds, and prints what each took: mails a second, latency, the processor time of its processes and their memory (proportional
// set size). It is how docs/performance.md compares Rempart with rspamd and SpamAssassin; run.sh and spamassassin.sh beside it start
// both sides.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"
)

// server is one side: its name, where it scans, and the processes it is made of, with all that they started.
type server struct {
	name, url string
	pids      []int
	runs      []run
}

// run is one round's outcome.
type run struct {
	mails     int
	took, cpu time.Duration
	latencies []time.Duration // sorted
	pss       int64           // bytes at the end
	putOff    int64           // mails that the sender was told to try again
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := play(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "beside:", err)
		os.Exit(1)
	}
}

func play(ctx context.Context) error {
	var servers []*server
	mails := flag.String("mails", "", "directory of mails, read with all below it")
	connections := flag.Int("connections", 16, "connections at one time")
	requests := flag.Int("requests", 3000, "mails a round")
	rounds := flag.Int("rounds", 3, "rounds, each of all servers in turn")
	flag.Func("server", "NAME=URL=PID,PID: a server, named several times; URL is http://HOST:PORT/checkv2 or spamd://HOST:PORT", func(s string) error {
		next, err := parseServer(s)
		servers = append(servers, next)
		return err
	})
	names := names{}
	serve := flag.String("dns", "", "serve DNS at this address instead: no name is known")
	flag.DurationVar(&names.delay, "dns-delay", 0, "how long an answer takes")
	flag.StringVar(&names.silent, "dns-silent", "", "zone below which no question is answered")
	flag.Parse()
	if *serve != "" {
		return names.serve(ctx, *serve)
	}
	corpus, err := read(*mails, *requests)
	if err != nil {
		return err
	}
	for round := range *rounds {
		for _, s := range servers {
			r, err := load(ctx, s, corpus, *connections, *requests)
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", s.name, round+1, err)
			}
			s.runs = append(s.runs, r)
		}
	}
	return table(servers)
}

func parseServer(s string) (*server, error) {
	parts := strings.Split(s, "=")
	if len(parts) != 3 {
		return nil, errors.New("want NAME=URL=PID,PID")
	}
	next := &server{name: parts[0], url: parts[1]}
	for _, p := range strings.Split(parts[2], ",") {
		pid, err := strconv.Atoi(p)
		if err != nil {
			return nil, err
		}
		next.pids = append(next.pids, pid)
	}
	return next, nil
}

// read takes mails from a directory in a scattered but fixed order, so that spam and honest mail mix.
func read(dir string, most int) (mails [][]byte, err error) {
	var paths []string
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no mails in %q: %w", dir, err)
	}
	const stride = 2147483647 // prime, so every path comes once
	for i := range min(most, len(paths)) {
		mail, err := os.ReadFile(paths[i*stride%len(paths)])
		if err != nil {
			return nil, err
		}
		mails = append(mails, mail)
	}
	return mails, nil
}

func load(ctx context.Context, s *server, mails [][]byte, connections, requests int) (r run, err error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	spamd, bySpamd := strings.CutPrefix(s.url, "spamd://")
	before, err := cpu(s.pids)
	if err != nil {
		return r, err
	}
	var next, putOff atomic.Int64
	var mu sync.Mutex
	begun := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for range connections {
		group.Go(func() error {
			var mine []time.Duration
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				r.latencies = append(r.latencies, mine...)
			}()
			for {
				i := int(next.Add(1)) - 1
				if i >= requests {
					return nil
				}
				at := time.Now()
				var later bool
				var err error
				if bySpamd {
					err = scanBySpamd(ctx, spamd, mails[i%len(mails)])
				} else {
					later, err = scan(ctx, client, s.url, mails[i%len(mails)], i)
				}
				if err != nil {
					return err
				}
				if later {
					putOff.Add(1)
				}
				mine = append(mine, time.Since(at))
			}
		})
	}
	if err := group.Wait(); err != nil {
		return r, err
	}
	r.mails, r.took, r.putOff = requests, time.Since(begun), putOff.Load()
	slices.Sort(r.latencies)
	after, err := cpu(s.pids)
	r.cpu = after - before
	return r, errors.Join(err, r.memory(s.pids))
}

// scan asks about one mail; later reports that its sender is told to try again.
func scan(ctx context.Context, client *http.Client, url string, mail []byte, i int) (later bool, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(mail))
	if err != nil {
		return false, err
	}
	for name, value := range map[string]string{"IP": fmt.Sprintf("198.%d.%d.%d", 18+i>>16&1, i>>8&0xff, i&0xff), "Helo": "mx.sender.example", "Hostname": "mx.sender.example",
		"From": "someone@sender.example", "Rcpt": "reader@home.example", "Queue-Id": fmt.Sprintf("Q%08X", i)} {
		q.Header.Set(name, value)
	}
	reply, err := client.Do(q)
	if err != nil {
		return false, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err == nil && (reply.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(`"action"`))) {
		err = fmt.Errorf("answered %s: %.200s", reply.Status, body)
	}
	return bytes.Contains(body, []byte(`"soft reject"`)), err
}

func table(servers []*server) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "server\tround\tmails/s\tmails per CPU second\tp50 ms\tp99 ms\tPSS MiB\tput off")
	for _, s := range servers {
		for i, r := range s.runs {
			fmt.Fprintf(w, "%s\t%d\t%.0f\t%.0f\t%.1f\t%.1f\t%.0f\t%d\n", s.name, i+1, float64(r.mails)/r.took.Seconds(), r.perCPU(),
				ms(r.quantile(0.5)), ms(r.quantile(0.99)), float64(r.pss)/(1<<20), r.putOff)
		}
	}
	if len(servers) == 2 {
		a, b := servers[0], servers[1]
		fmt.Fprintf(w, "\nmedian of rounds, %s beside %s: %.1f times the mails per CPU second, p99 1/%.1f, memory 1/%.1f\n", a.name, b.name,
			a.median(run.perCPU)/b.median(run.perCPU), b.median(run.p99)/a.median(run.p99), b.median(run.memoryUse)/a.median(run.memoryUse))
	}
	return w.Flush()
}

func (r run) perCPU() float64    { return float64(r.mails) / r.cpu.Seconds() }
func (r run) p99() float64       { return ms(r.quantile(0.99)) }
func (r run) memoryUse() float64 { return float64(r.pss) }

func (r run) quantile(q float64) time.Duration {
	return r.latencies[int(q*float64(len(r.latencies)-1))]
}

func (s *server) median(of func(run) float64) float64 {
	var all []float64
	for _, r := range s.runs {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
