package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"reflect"

	"rempart/durable"
	"rempart/gateway"
	"rempart/gateway/api"
	"rempart/gateway/milter"
	"rempart/gateway/rspamd"
	"rempart/gateway/sip"
	"rempart/gateway/smpp"
	"rempart/gateway/smtp"
	"rempart/gateway/spamd"
	"rempart/message"
)

// door is one front door, or the control socket, ready to run on its open listeners.
type door struct {
	name      string
	listeners []net.Listener
	packets   []*net.UDPConn // of SIP
	run       func(context.Context, []net.Listener) error
}

// openDoors makes the configured front doors and opens their sockets: all or none.
func (n *Node) openDoors(ctx context.Context) (doors []door, err error) {
	defer func() {
		if err != nil {
			for _, d := range doors {
				for _, l := range d.listeners {
					_ = l.Close() // nothing came through it yet
				}
				for _, p := range d.packets {
					_ = p.Close()
				}
			}
			doors = nil
		}
	}()
	var reconfigure []func(GatewayConfig) error
	host := &gateway.Host{Judge: n.Judge, Sign: n.sign, Log: n.log, Metrics: n.doors}
	add := func(d gateway.Door, run func(context.Context, []net.Listener) error, err error) error {
		if err != nil {
			return fmt.Errorf("front door %s: %w", d.Name, err)
		}
		ls, err := gateway.ListenAll(ctx, d.Listen)
		if err != nil {
			return fmt.Errorf("front door %s: %w", d.Name, err)
		}
		doors = append(doors, door{name: doorPrefix + d.Name, listeners: ls, run: run})
		return nil
	}
	if err := durable.MakeDir(filepath.Join(n.config.Data, controlDir)); err != nil {
		return doors, err
	}
	// The first to be open: who finds a front door open can reach the node.
	socket, err := gateway.Listen(ctx, "unix:"+filepath.Join(n.config.Data, controlSocket))
	if err != nil {
		return doors, err
	}
	doors = append(doors, door{name: "control socket", listeners: socket, run: n.control})
	for i, c := range n.config.Gateway.Milter {
		f, err := milter.New(c, host)
		if err := add(c.Door, f.Run, err); err != nil {
			return doors, err
		}
		reconfigure = append(reconfigure, func(g GatewayConfig) error { return f.Reconfigure(g.Milter[i]) })
	}
	for i, c := range n.config.Gateway.SMTP {
		f, err := smtp.New(c, host)
		if err := add(c.Door, f.Run, err); err != nil {
			return doors, err
		}
		reconfigure = append(reconfigure, func(g GatewayConfig) error { return f.Reconfigure(g.SMTP[i]) })
	}
	for i, c := range n.config.Gateway.Rspamd {
		f, err := rspamd.New(c, host, n.learnByPeer)
		if err := add(c.Door, f.Run, err); err != nil {
			return doors, err
		}
		reconfigure = append(reconfigure, func(g GatewayConfig) error { return f.Reconfigure(g.Rspamd[i]) })
	}
	for i, c := range n.config.Gateway.Spamd {
		f, err := spamd.New(c, host, n.learnByPeer)
		if err := add(c.Door, f.Run, err); err != nil {
			return doors, err
		}
		reconfigure = append(reconfigure, func(g GatewayConfig) error { return f.Reconfigure(g.Spamd[i]) })
	}
	for i, c := range n.config.Gateway.SMPP {
		f, err := smpp.New(c, host)
		if err := add(c.Door, f.Run, err); err != nil {
			return doors, err
		}
		reconfigure = append(reconfigure, func(g GatewayConfig) error { return f.Reconfigure(g.SMPP[i]) })
	}
	for i, c := range n.config.Gateway.SIP {
		d, take, err := openSIP(ctx, c, host)
		if err != nil {
			return doors, fmt.Errorf("front door %s: %w", c.Name, err)
		}
		doors = append(doors, d)
		reconfigure = append(reconfigure, func(g GatewayConfig) error { return take(g.SIP[i]) })
	}
	for i, c := range n.config.Gateway.API {
		f, err := api.New(c, host, n.learnByAPI, n.Calls)
		if err := add(c.Door, f.Run, err); err != nil {
			return doors, err
		}
		reconfigure = append(reconfigure, func(g GatewayConfig) error { return f.Reconfigure(g.API[i]) })
	}
	pages, err := n.openConsole(ctx)
	if err != nil {
		return doors, err
	}
	doors = append(doors, pages)
	n.reconfigure.Store(&reconfigure)
	return doors, nil
}

// openSIP opens a front door that listens for streams and datagrams.
func openSIP(ctx context.Context, c sip.Config, host *gateway.Host) (d door, reconfigure func(sip.Config) error, err error) {
	f, err := sip.New(c, host)
	if err != nil {
		return d, nil, err
	}
	ls, ps, err := gateway.ListenBoth(ctx, c.Listen)
	run := func(ctx context.Context, ls []net.Listener) error { return f.Run(ctx, ls, ps) }
	return door{doorPrefix + c.Name, ls, ps, run}, f.Reconfigure, err
}

// reconfigureDoors takes over what can change of front doors while they run.
func (n *Node) reconfigureDoors(g GatewayConfig) error {
	doors := n.reconfigure.Load()
	if doors == nil {
		return nil // none is open yet
	}
	for _, take := range *doors {
		if err := take(g); err != nil {
			return err
		}
	}
	return nil
}

// learnByAPI teaches what a token's holder says.
func (n *Node) learnByAPI(ctx context.Context, l api.Lesson) (before, after float64, err error) {
	was, is, err := n.Learn(ctx, l.Message, l.Label, l.Category, l.Scope, l.Teacher)
	return was.Probability, is.Probability, err
}

// learnByPeer teaches what a client of another filter's protocol says; what stands already is not repeated.
func (n *Node) learnByPeer(ctx context.Context, l gateway.Lesson) (learned bool, err error) {
	switch {
	case l.Label == message.Forget:
		if n.filter.Taught(l.Message, l.Scope) == message.Forget {
			return false, nil
		}
	case l.TakesBack && !n.filter.Stands(l.Message, l.Label.Opposite(), l.Scope), n.filter.Stands(l.Message, l.Label, l.Scope):
		return false, nil
	}
	_, _, err = n.Learn(ctx, l.Message, l.Label, message.CategoryNone, l.Scope, l.Teacher)
	return err == nil, err
}

// unchangeable names what differs from the running configuration and needs a restart.
func (n *Node) unchangeable(c Config) error {
	for _, f := range []struct {
		key      string
		old, new any
	}{
		{"data", n.config.Data, c.Data}, {"name", n.config.Name, c.Name}, {"console", n.config.Console, c.Console},
		{"journal", n.config.Journal, c.Journal}, {"index", n.config.Index, c.Index},
	} {
		if !reflect.DeepEqual(f.old, f.new) {
			return fmt.Errorf("%s: changed, which needs a restart: nothing was taken over", f.key)
		}
	}
	is, will := n.config.Gateway.doors(), c.Gateway.doors()
	if len(is) != len(will) {
		return errors.New("gateway: a front door was added or removed, which needs a restart: nothing was taken over")
	}
	for i, d := range is {
		for _, f := range []struct {
			key      string
			old, new any
		}{
			{"name", d.Name, will[i].Name}, {"listen", d.Listen, will[i].Listen}, {"max_connections", d.MaxConnections, will[i].MaxConnections},
		} {
			if d.key != will[i].key || !reflect.DeepEqual(f.old, f.new) {
				return fmt.Errorf("%s.%s: changed, which needs a restart: nothing was taken over", d.key, f.key)
			}
		}
	}
	return nil
}

// modeOf is the mode in which a message of a front door is decided.
func (n *Node) modeOf(m message.Mode) message.Mode {
	if m == message.ModeJudge && n.shadow.Load() {
		return message.ModeShadow
	}
	return m
}

// Address is where a front door listens, once Serve has called ready; nil if there is no such door.
func (n *Node) Address(name string) net.Addr { return n.listening[doorPrefix+name] }

// doorPrefix stands before a front door's name in errors.
const doorPrefix = "front door "
