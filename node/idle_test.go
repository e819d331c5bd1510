package node

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"rempart/gateway/milter/postfix"
)

// Connections that began something and go on with nothing cost little, and leave room for one that has a mail.
func TestIdleConnections(t *testing.T) {
	idle := 10_000
	if testing.Short() {
		idle = 1000
	}
	sink := postfix.NewSink(t)
	for _, tt := range []struct {
		protocol, begins, more string
		ask                    func(addr string, raw []byte) error
	}{
		{"milter", "\x00\x0f\xff\xffO\x00", "", byMilter}, // a packet of nearly a mebibyte
		{"rspamd", "POST /checkv2 HTTP/1.1\r\nHost: x\r\nContent-Length: 16000000\r\n\r\nS", "", func(addr string, raw []byte) error {
			return byHTTP("http://"+addr+"/checkv2", `"action":`, raw, 200)
		}},
		{"spamd", "CHECK SPAMC/1.5\r\nContent-length: 16000000\r\n\r\nS", "", bySpamd},
		{"smtp", "EHL", fmt.Sprintf("next_hops = [\"127.0.0.1:%d\"]", sink.Port), bySMTP},
	} {
		t.Run(tt.protocol, func(t *testing.T) {
			path, _ := configuration(t, fmt.Sprintf("[[gateway.%s]]\nname = \"door\"\nlisten = [\"127.0.0.1:0\"]\nmax_connections = %d\n%s\n", tt.protocol, idle+1, tt.more))
			n, _ := serve(t, path)
			addr := n.Address("door").String()
			before := held()
			begin(t, addr, tt.begins, idle)
			each := (int(held()) - int(before)) / idle
			t.Logf("%d connections, %d bytes each", idle, each)
			if each > 60_000 {
				t.Errorf("%d bytes a connection", each)
			}
			if err := tt.ask(addr, []byte(offer)); err != nil {
				t.Errorf("beside %d idle connections: %v", idle, err)
			}
		})
	}
}

// held is the memory of this process in use, with the stacks of its goroutines.
func held() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

const idleClient = "REMPART_TEST_IDLE" // "address count": this process is a client of TestIdleConnections

// begin has another process, which has descriptors of its own, open the connections, and closes them with the test.
func begin(t *testing.T, addr, begins string, n int) {
	t.Helper()
	client := exec.CommandContext(t.Context(), os.Args[0])
	client.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", idleClient, addr, n))
	client.Stdin = strings.NewReader(begins)
	client.Stderr = os.Stderr
	out, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Process.Kill()
		_ = client.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "all open\n" {
		t.Fatalf("the client of idle connections says %q, %v", line, err)
	}
}

// openIdle is the other process: it opens the connections, begins on each with its standard input, and waits to be killed.
func openIdle(what string) error {
	var addr string
	var n int
	if _, err := fmt.Sscanf(what, "%s %d", &addr, &n); err != nil {
		return err
	}
	begins, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	conns := make([]net.Conn, n)
	for i := range conns {
		if conns[i], err = net.Dial("tcp", addr); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		if _, err := conns[i].Write(begins); err != nil {
			return err
		}
	}
	fmt.Println("all open")
	_, err = conns[0].Read(make([]byte, 1<<20))
	for err == nil {
		_, err = conns[0].Read(make([]byte, 1<<20))
	}
	return nil
}
