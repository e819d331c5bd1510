package behaviour

import (
	"strconv"
	"testing"
	"time"
)

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// known has a person write on three days.
func (c *Colleagues) known(domain, person, address string) {
	for day := range knownDays {
		c.Wrote("", domain, person, address, monday.AddDate(0, 0, day))
	}
}

func TestColleagues(t *testing.T) {
	c := NewColleagues()
	for range 5 {
		c.Wrote("", "harbour.example", "jane roe", "jane@harbour.example", monday)
	}
	if named, _ := c.Namesake("", "harbour.example", "jane roe", "x@else.example"); named {
		t.Error("known after one day")
	}
	c.known("harbour.example", "jane roe", "jane@harbour.example")
	c.Wrote("", "harbour.example", "jane roe", "jroe@harbour.example", monday)
	for _, tt := range []struct {
		tenant, domain, person, address string
		named, theirs                   bool
	}{
		{"", "harbour.example", "jane roe", "x@else.example", true, false},
		{"", "harbour.example", "jane roe", "Jane@harbour.example", true, true},
		{"", "harbour.example", "jane roe", "jroe@harbour.example", true, true},
		{"", "harbour.example", "john roe", "x@else.example", false, false},
		{"", "marina.example", "jane roe", "x@else.example", false, false},
		{"south", "harbour.example", "jane roe", "x@else.example", false, false},
	} {
		if named, theirs := c.Namesake(tt.tenant, tt.domain, tt.person, tt.address); named != tt.named || theirs != tt.theirs {
			t.Errorf("%+v: %v, %v", tt, named, theirs)
		}
	}
	if c.Clear(); !c.Empty() {
		t.Error("not empty after all was forgotten")
	}
}

// In a domain that thousands share a namesake means nothing; the organisation beside it is not touched.
func TestProviderIsNoOrganisation(t *testing.T) {
	c := NewColleagues()
	c.known("harbour.example", "jane roe", "jane@harbour.example")
	c.known("provider.example", "jane roe", "jane@provider.example")
	for i := range 3 * maxColleagues {
		n := strconv.Itoa(i)
		c.known("provider.example", "customer "+n, n+"@provider.example")
	}
	if named, _ := c.Namesake("", "provider.example", "jane roe", "x@else.example"); named {
		t.Error("a namesake at a provider")
	}
	if named, _ := c.Namesake("", "harbour.example", "jane roe", "x@else.example"); !named {
		t.Error("a namesake of the organisation is passed over")
	}
	if n := len(c.young.people); n > maxColleagues+2 {
		t.Errorf("%d of the provider's customers are kept", n)
	}
}

func TestColleaguesAreBounded(t *testing.T) {
	c := NewColleagues()
	for i := range PeopleCapacity + peopleGeneration {
		n := strconv.Itoa(i)
		c.Wrote("", n+".example", "jane roe", "jane@"+n+".example", monday)
	}
	if n := len(c.young.people) + len(c.old.people); n > PeopleCapacity {
		t.Errorf("%d people", n)
	}
	if n := len(c.young.names) + len(c.old.names); n > PeopleCapacity {
		t.Errorf("%d domains", n)
	}
}
