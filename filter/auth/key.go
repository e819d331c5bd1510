package auth

import (
	"context"
	"maps"
	"slices"
	"sync"

	"rempart/message/dkim"
)

// keys asks for the keys of all signers side by side, each once.
func (c *Checker) keys(ctx context.Context, signers []dkim.Signer) map[string]dkim.Found {
	out := map[string]dkim.Found{}
	for _, s := range signers {
		out[s.KeyName()] = dkim.Found{}
	}
	var (
		wg sync.WaitGroup
		mu sync.Mutex
	)
	for _, name := range slices.Collect(maps.Keys(out)) {
		wg.Go(func() {
			k, err := c.key(ctx, name)
			mu.Lock()
			defer mu.Unlock()
			out[name] = dkim.Found{Key: k, Err: err}
		})
	}
	wg.Wait()
	return out
}

func (c *Checker) key(ctx context.Context, name string) (*dkim.Key, error) {
	texts, err := c.dns.LookupTXT(ctx, name)
	if err != nil {
		return nil, &dkim.Fault{Status: failedOr(err, "permerror"), Reason: "no key: " + err.Error()}
	}
	if len(texts) != 1 { // RFC 6376 section 3.6.2.2: undefined
		return nil, &dkim.Fault{Status: "permerror", Reason: "several key records"}
	}
	return dkim.ParseKey(texts[0])
}
