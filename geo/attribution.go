package geo

// Attribution is a source that pages name when they show what it says, with its link.
type Attribution struct {
	Text    string // as the source wants to be named
	URL     string
	Licence string // under which it gives its data: "CC BY 4.0"
}

// Attributions are the sources of addresses in use; pages that show countries or networks name them. The user's own files
// are not among them.
func (p *Places) Attributions() (list []Attribution) {
	if p.country == nil {
		list = append(list, Attribution{"IPtoASN", "https://iptoasn.com", "PDDL 1.0"})
	}
	if p.network == nil {
		list = append(list, Attribution{"IP Geolocation by DB-IP", "https://db-ip.com", "CC BY 4.0"},
			Attribution{"RouteViews", "https://www.routeviews.org", "CC BY 4.0"}, Attribution{"Number Resource Organization", "https://www.nro.net", "CC BY 4.0"})
	}
	return list
}
