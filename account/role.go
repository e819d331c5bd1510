package account

import (
	"fmt"
	"slices"
)

// Role is what an account is for. Stored as its number; one that this build does not know may do nothing.
type Role uint8

// Roles.
const (
	Viewer Role = iota + 1
	Operator
	Administrator
	Auditor
)

// Right is one thing that a role may do.
type Right string

// Rights.
const (
	SeeFigures  Right = "see_figures"  // overview, sources, routes, health
	SeeMessages Right = "see_messages" // find messages, read the reasons of a verdict
	SeeSubjects Right = "see_subjects" // what a message says, if the node keeps it; each look is recorded
	Teach       Right = "teach"        // say that a message is spam or is not
	Switch      Right = "switch"       // put everything to shadow and back
	Manage      Right = "manage"       // accounts
	ReadAudit   Right = "read_audit"
)

// Roles lists every role with what it may do.
var Roles = []struct {
	Role   Role
	Name   string
	Rights []Right
}{
	{Viewer, "viewer", []Right{SeeFigures, SeeMessages}},
	{Operator, "operator", []Right{SeeFigures, SeeMessages, SeeSubjects, Teach, Switch}},
	{Administrator, "administrator", []Right{SeeFigures, SeeMessages, SeeSubjects, Teach, Switch, Manage, ReadAudit}},
	{Auditor, "auditor", []Right{SeeFigures, SeeMessages, ReadAudit}},
}

// May reports whether the role has the right.
func (r Role) May(right Right) bool {
	for i := range Roles {
		if Roles[i].Role == r {
			return slices.Contains(Roles[i].Rights, right)
		}
	}
	return false
}

func (r Role) String() string {
	for i := range Roles {
		if Roles[i].Role == r {
			return Roles[i].Name
		}
	}
	return fmt.Sprintf("#%d", uint8(r))
}

// ParseRole reads the name of a role.
func ParseRole(name string) (Role, error) {
	for i := range Roles {
		if Roles[i].Name == name {
			return Roles[i].Role, nil
		}
	}
	return 0, fmt.Errorf("%w: %q", ErrRole, name)
}
