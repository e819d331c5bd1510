package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"time"
)

// scanBySpamd asks about one mail by the protocol of SpamAssassin's spamd, as spamc -y does: for the score and the names of the
// tests, on a connection of its own.
func scanBySpamd(ctx context.Context, address string, mail []byte) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	request := append(fmt.Appendf(nil, "SYMBOLS SPAMC/1.5\r\nUser: nobody\r\nContent-length: %d\r\n\r\n", len(mail)), mail...)
	if _, err := conn.Write(request); err != nil {
		return err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && (!bytes.HasPrefix(answer, []byte("SPAMD/1.1 0 EX_OK\r\n")) || !bytes.Contains(answer, []byte("\r\nSpam: "))) {
		err = fmt.Errorf("answered %.200q", answer)
	}
	return err
}
