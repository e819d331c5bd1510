# make run     a node on embedded defaults with made-up traffic, console on http://127.0.0.1:8052
# make test    all tests that need only Go
# make build   the one static binary, ./rempart

VERSION ?= devel
LDFLAGS  = -s -w -X main.version=$(VERSION)
FUZZTIME ?= 30s

.PHONY: run build test test-race test-integration pictures lint bench fuzz generate

run: build
	./rempart demo

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o rempart ./cmd/rempart

test:
	go test $(TESTFLAGS) ./...

test-race:
	CGO_ENABLED=1 go test -race ./...

# Tests against real peers (Postfix, mlmmj, postsrsd, fetchmail, rspamd, rspamc, Haraka's plugin, SpamAssassin, spamc, procmail, Exim, Dovecot, Kannel, sipp, Kamailio, Chromium, oidc-provider, promtool, clamd, OpenDKIM, dkimpy): .ci/run installs them and fails if one skips.
test-integration:
	files=$$(grep -rl --include='*_test.go' '^//go:build integration' .); \
	names=$$(sed -nE 's/^func (Test[A-Za-z0-9_]+).*/\1/p' $$files | sort -u | paste -sd'|'); \
	go test -tags integration -count=1 -p 1 -v -run "^($$names)\$$" $$(dirname $$files | sort -u)

# The pictures of the README, taken of the demo in Chromium.
pictures:
	REMPART_PICTURES=$(CURDIR)/docs/images go test -tags integration -count=1 -run TestTour ./cmd/rempart

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go vet -tags integration ./...
	go tool staticcheck -tags integration ./...

# On one core, the best of five runs; BenchmarkSHA256 says how fast the machine is. REMPART_SHARED names the corpora.
bench:
	go test -run '^$$' -bench . -benchmem -count 5 -cpu 1 ./... | awk ' \
	  /^pkg:/ { pkg = $$2 } \
	  /^Benchmark/ { key = pkg " " $$1; if (!(key in best) || $$3 < best[key]) { best[key] = $$3; line[key] = $$0 } if (!(key in at)) { at[key] = ++n; order[n] = key } } \
	  /^(FAIL|panic)/ { print; failed = 1 } \
	  END { for (i = 1; i <= n; i++) { split(order[i], k, " "); print k[1] ": " line[order[i]] } exit failed }'

fuzz:
	@for p in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -h -o '^func Fuzz[A-Za-z0-9_]*' $$p/*_test.go | sed 's/func //'); do \
	    echo "== $$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; done

generate:
	go generate ./...
