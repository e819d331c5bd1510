package console

import (
	"testing"

	"rempart/catalogue"
)

// Pages are parsed when they are first asked for; here all are.
func TestPagesParse(t *testing.T) {
	all, err := loadPages(catalogue.English())
	if err != nil || len(all) < 30 {
		t.Fatalf("%d pages, %v", len(all), err)
	}
	for name, parse := range all {
		if _, err := parse(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
