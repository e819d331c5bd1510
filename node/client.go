package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"rempart/message"
)

// ErrNotRunning is a data directory without a running node.
var ErrNotRunning = errors.New("node: no node runs on this data directory")

// Client speaks to the node that runs on a data directory of this machine.
type Client struct{ http *http.Client }

// Dial finds the running node; [ErrNotRunning] if there is none.
func Dial(data string) (*Client, error) {
	path := filepath.Join(data, controlSocket)
	conn, err := net.Dial("unix", path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("%w: %s", ErrNotRunning, data)
	}
	if err != nil {
		return nil, err
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	return &Client{&http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}}}}, nil
}

// Learn teaches one message.
func (c *Client) Learn(ctx context.Context, r LearnRequest) (reply LearnReply, err error) {
	return reply, c.ask(ctx, "/learn", r, &reply)
}

// LearnStored teaches mails of a mail store together, and returns how probably each was spam before.
func (c *Client) LearnStored(ctx context.Context, mails []StoredMail, scope message.Scope) (before []float64, err error) {
	err = c.askOfEach(ctx, "/learn/stored", mails, scope, &before)
	return before, err
}

// JudgeStored judges mails of a mail store and returns how probably each is spam.
func (c *Client) JudgeStored(ctx context.Context, mails []StoredMail, scope message.Scope) (probabilities []float64, err error) {
	err = c.askOfEach(ctx, "/judge/stored", mails, scope, &probabilities)
	return probabilities, err
}

func (c *Client) askOfEach(ctx context.Context, path string, mails []StoredMail, scope message.Scope, out *[]float64) error {
	err := c.ask(ctx, path, storedRequest{mails, scope}, out)
	if err == nil && len(*out) != len(mails) {
		return fmt.Errorf("the node answered for %d of %d mails", len(*out), len(mails))
	}
	return err
}

// SetShadow puts everything to shadow, or takes it out.
func (c *Client) SetShadow(ctx context.Context, on bool) error {
	return c.ask(ctx, "/shadow", shadowRequest{on}, new(shadowRequest))
}

// Close ends the connection.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) ask(ctx context.Context, path string, in, out any) error {
	resp, err := c.post(ctx, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(out)
}

func (c *Client) post(ctx context.Context, path string, in any) (*http.Response, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		what, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		return nil, errors.New(strings.TrimSpace(string(what)))
	}
	return resp, nil
}
