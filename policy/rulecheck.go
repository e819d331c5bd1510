package policy

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"

	"rempart/config"
	"rempart/filter"
)

// ruleBuiltins are the functions of the language that a condition needs. None makes a list or grows a text, so that an
// evaluation has the memory of the message and not more.
var ruleBuiltins = []string{"all", "any", "none", "one", "count", "len", "lower", "upper", "trim", "hasPrefix", "hasSuffix", "indexOf", "abs", "int", "float"}

var ruleOptions = sync.OnceValue(func() []expr.Option {
	options := []expr.Option{
		expr.Env(ruleFacts{}), expr.AsBool(), expr.MaxNodes(maxRuleNodes), expr.DisableIfOperator(), expr.DisableAllBuiltins(),
		expr.Function("within_time", withinTime, new(func(*budget, bool) bool), new(func(*budget, string) string)),
		expr.Function("found", found, new(func(*budget, string, *pattern) bool)),
	}
	for _, name := range ruleBuiltins {
		options = append(options, expr.EnableBuiltin(name))
	}
	return options
})

// compileRule reads one condition; an error tells the place in it.
func compileRule(key, when string) (rule, error) {
	if len(when) > maxRuleBytes {
		return rule{}, fmt.Errorf("%s: %d bytes, at most %d", key, len(when), maxRuleBytes)
	}
	if when == "" {
		return rule{}, fmt.Errorf("%s: write a condition", key)
	}
	v := &ruleVisitor{}
	program, err := expr.Compile(when, append(slices.Clone(ruleOptions()), expr.Patch(v))...)
	for _, n := range v.whole {
		v.refuse(n, "write %s.NAME", n.Value)
	}
	if err == nil && v.err != nil {
		err = v.err.Bind(file.NewSource(when))
	}
	var wrong *file.Error
	if errors.As(err, &wrong) {
		return rule{}, &config.TextError{Key: key, Rune: wrong.From, Err: fmt.Errorf("%s: %s", key, wrong.Message)}
	}
	if err != nil {
		return rule{}, fmt.Errorf("%s: %w", key, err)
	}
	return rule{program: program, personal: v.personal, needs: v.needs}, nil
}

// ruleVisitor refuses what a condition does not need, and lets what may take long look at the clock.
type ruleVisitor struct {
	err      *file.Error // the first
	personal bool
	needs    []string
	whole    []*ast.IdentifierNode // message, client and auth without a member
}

func (v *ruleVisitor) refuse(n ast.Node, format string, args ...any) {
	if v.err == nil {
		v.err = &file.Error{Location: n.Location(), Message: fmt.Sprintf(format, args...)}
	}
}

// Visit implements ast.Visitor; children come before their parents.
func (v *ruleVisitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.VariableDeclaratorNode, *ast.SequenceNode, *ast.MapNode:
		v.refuse(n, "a condition has no variables, sequences or maps")
	case *ast.IdentifierNode:
		v.identifier(n)
	case *ast.MemberNode:
		v.member(n)
	case *ast.PredicateNode:
		n.Node = inTime(n.Node)
	case *ast.BuiltinNode:
		if !slices.Contains(ruleBuiltins, n.Name) {
			v.refuse(n, "unknown name %s", n.Name) // those with a condition cannot be disabled
		}
		if n.Type() == reflect.TypeFor[string]() {
			*node = inTime(n)
		}
	case *ast.CallNode:
		v.call(n)
	case *ast.BinaryNode:
		v.binary(node, n)
	}
}

// inTime wraps a node so that its value passes only while there is time.
func inTime(n ast.Node) ast.Node {
	wrapped := &ast.CallNode{Callee: &ast.IdentifierNode{Value: "within_time"}, Arguments: []ast.Node{&ast.IdentifierNode{Value: "budget"}, n}}
	wrapped.SetLocation(n.Location())
	return wrapped
}

func withinTime(params ...any) (any, error) {
	return params[1], params[0].(*budget).spend(operationWork)
}

func (v *ruleVisitor) identifier(n *ast.IdentifierNode) {
	switch n.Value {
	case "$env", "budget":
		v.refuse(n, "unknown name %s", n.Value)
	case "recipient":
		v.personal = true
	case "message", "client", "auth":
		v.whole = append(v.whole, n) // until its member is seen
	case "header", "headers":
		v.need(n.Value + "()")
	}
}

// eventFacts are what events keep of message, client and auth, so that a rule that asks no more can be tried on the mail of the
// last days.
var eventFacts = []string{"message.channel", "message.direction", "message.door", "message.tenant", "message.account", "message.sender",
	"message.from", "message.from_domain", "message.message_id", "message.size", "message.recipients", "message.link_hosts",
	"client.address", "client.name", "client.country", "client.network", "client.trusted"}

func (v *ruleVisitor) member(n *ast.MemberNode) {
	of, ok := n.Node.(*ast.IdentifierNode)
	property, named := n.Property.(*ast.StringNode)
	at := slices.Index(v.whole, of)
	if !ok || !named || at < 0 {
		return
	}
	v.whole = slices.Delete(v.whole, at, at+1)
	if name := of.Value + "." + property.Value; !slices.Contains(eventFacts, name) {
		v.need(name)
	}
}

func (v *ruleVisitor) need(fact string) {
	if !slices.Contains(v.needs, fact) {
		v.needs = append(v.needs, fact)
	}
}

var signalNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, s := range filter.Signals() {
		names[s.Name] = true
	}
	return names
})

// call checks what is asked by name: a misspelt one would be a rule that silently never fits.
func (v *ruleVisitor) call(n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || len(n.Arguments) != 1 {
		return // or a mistake that the compiler tells
	}
	name, constant := n.Arguments[0].(*ast.StringNode)
	if !constant {
		v.refuse(n, "%s needs a name in quotes", callee.Value)
		return
	}
	switch callee.Value {
	case "has", "unknown", "value", "weight":
		if !signalNames()[name.Value] {
			v.refuse(name, "there is no signal %q: docs/signals.md lists them", name.Value)
		}
	case "within":
		if _, err := parseNetwork(name.Value); err != nil {
			v.refuse(name, "%q is no address or network like 192.0.2.0/24", name.Value)
		}
	}
}

func (v *ruleVisitor) binary(node *ast.Node, n *ast.BinaryNode) {
	switch n.Operator {
	case "..":
		v.refuse(n, "a condition has no ranges")
	case "+":
		if t := n.Type(); t == nil || t.Kind() == reflect.String {
			v.refuse(n, "a condition puts no texts together")
		}
	case "contains", "in":
		*node = inTime(n)
	case "matches":
		text, ok := n.Right.(*ast.StringNode)
		if !ok {
			v.refuse(n.Right, "matches needs a pattern in quotes")
			return
		}
		re, err := compilePattern(text.Value)
		if err != nil {
			v.refuse(text, "%v", err)
			return
		}
		ast.Patch(node, &ast.CallNode{Callee: &ast.IdentifierNode{Value: "found"}, Arguments: []ast.Node{
			&ast.IdentifierNode{Value: "budget"}, n.Left, &ast.ConstantNode{Value: re}}})
	}
}
