package link

import (
	"strings"

	"rempart/message"
	wire "rempart/message/link"
)

// service is what anybody can put at a host of a known company.
type service uint8

const (
	noService service = iota
	site              // a page, an app or a file: builders, static hosting, storage, gateways of IPFS
	form              // a form to fill in
	redirects         // leads on to anywhere
)

// services are such hosts, each with all below it, from public knowledge. What companies use for their own sites only (content
// networks, mailing services' trackers) is left out.
var services = func() map[string]service {
	m := map[string]service{}
	for kind, hosts := range map[service]string{
		site: `weebly.com weeblysite.com wixsite.com wixstudio.com wixstudio.io editorx.io webflow.io framer.app framer.website
			framer.ai carrd.co strikingly.com mystrikingly.com site123.me yolasite.com jimdosite.com jimdofree.com webnode.page
			webnode.com godaddysites.com square.site squarespace.com duda.co bubbleapps.io softr.app notion.site gitbook.io
			wordpress.com blogspot.com tumblr.com medium.site ucoz.net ucoz.ru tilda.ws zyrosite.com hostingersite.com
			000webhostapp.com infinityfreeapp.com byethost.com rf.gd epizy.com great-site.net
			web.app firebaseapp.com appspot.com run.app cloudfunctions.net storage.googleapis.com firebasestorage.googleapis.com
			sites.google.com script.google.com googleusercontent.com
			pages.dev workers.dev r2.dev trycloudflare.com cloudflare-ipfs.com cf-ipfs.com
			github.io githubusercontent.com gitlab.io bitbucket.io netlify.app vercel.app onrender.com herokuapp.com fly.dev glitch.me
			surge.sh replit.app repl.co replit.dev codesandbox.io csb.app stackblitz.io railway.app deno.dev koyeb.app
			edgeone.app edgeone.dev lovable.app bolt.host
			blob.core.windows.net web.core.windows.net azurewebsites.net azureedge.net azurestaticapps.net cloudapp.azure.com
			s3.amazonaws.com amplifyapp.com awsapps.com elasticbeanstalk.com digitaloceanspaces.com ondigitalocean.app
			linodeobjects.com backblazeb2.com wasabisys.com storage.yandexcloud.net myqcloud.com aliyuncs.com
			oraclecloud.com appdomain.cloud
			ngrok.io ngrok.app ngrok-free.app loca.lt serveo.net duckdns.org ddns.net hopto.org zapto.org sytes.net
			ipfs.io dweb.link ipfs.dweb.link nftstorage.link w3s.link infura-ipfs.io fleek.co fleek.cool 4everland.io mypinata.cloud
			pinata.cloud gateway.pinata.cloud ipfs.w3s.link
			translate.goog my.canva.site canva.site sharefile.com ucraft.net nicepage.io renderforest.site webador.com
			systeme.io clickfunnels.com myclickfunnels.com kartra.com sendspace.com mediafire.com mega.nz gofile.io transfer.sh
			anonfiles.com filebin.net plesk.page contaboserver.net cprapid.com`,
		form: `forms.gle forms.office.com forms.microsoft.com forms.cloud.microsoft typeform.com jotform.com jotform.me jotformeu.com
			formstack.com cognitoforms.com 123formbuilder.com surveyheart.com paperform.co formsite.com wufoo.com zohopublic.com
			forms.zohopublic.com formplus.co getresponsepages.com aidaform.com tally.so fillout.com formcrafts.com formaloo.net
			formspree.io formsubmit.co emailmeform.com surveymonkey.com smartsheet.com involve.me`,
		redirects: `t.co lnkd.in l.facebook.com lm.facebook.com l.instagram.com l.wl.co out.reddit.com vk.cc away.vk.com
			adclick.g.doubleclick.net googleads.g.doubleclick.net ad.doubleclick.net googleadservices.com cc.naver.com
			href.li anon.to nullrefer.com deref-mail.com deref-gmx.net deref-web.de urldefense.us`,
	} {
		for h := range strings.FieldsSeq(hosts) {
			m[h] = kind
		}
	}
	return m
}()

// serviceOf finds the service of a host.
func serviceOf(host string) service {
	for {
		if kind := services[host]; kind != noService {
			return kind
		}
		dot := strings.IndexByte(host, '.')
		if dot < 0 {
			return noService
		}
		host = host[dot+1:]
	}
}

// FreeSite speaks against links to pages, apps and files that anybody can put up at a builder's, a storage's or an IPFS
// gateway's. Value: log2 of the number of hosts, 1 to 4. Argument: the first host.
func FreeSite(m *message.Message) message.Result { return served(m, site) }

// FormService speaks against links to a form at a service for anybody. Value and argument as for FreeSite.
func FormService(m *message.Message) message.Result {
	r := served(m, form)
	if r.State == message.StateAbsent && pathAt(m, "docs.google.com", "/forms/") {
		return message.Present(1, "docs.google.com")
	}
	return r
}

func served(m *message.Message, kind service) message.Result {
	n, first := 0, ""
	for i := range m.Facts.Guise.Hosts {
		h := &m.Facts.Guise.Hosts[i]
		if h.Domain != m.Facts.Guise.Author && serviceOf(h.Name) == kind {
			if n++; n == 1 {
				first = h.Name
			}
		}
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), quote(first))
}

func pathAt(m *message.Message, host, path string) bool {
	for i := range m.Facts.Guise.Hosts {
		if m.Facts.Guise.Hosts[i].Name != host {
			continue
		}
		for j := range m.Links {
			if l := &m.Links[j]; l.Host == host && l.Kind.Followed() && strings.HasPrefix(pathOf(l.URL), path) {
				return true
			}
		}
	}
	return false
}

// openRedirects are paths at which well-known hosts lead on to wherever the link says; a host ends in a full stop where it has
// many top level domains.
var openRedirects = [...]struct{ host, path string }{
	{"google.", "/url"}, {"google.", "/amp/"}, {"google.", "/travel/clk"}, {"google.", "/local_url"}, {"google.", "/pagead/"},
	{"bing.com", "/ck/"}, {"bing.com", "/aclk"}, {"youtube.com", "/redirect"}, {"youtube.com", "/attribution_link"},
	{"linkedin.com", "/safety/"}, {"linkedin.com", "/slink"}, {"linkedin.com", "/redir"}, {"facebook.com", "/l.php"},
	{"facebook.com", "/flx/"}, {"baidu.com", "/link"}, {"r.search.yahoo.com", "/"}, {"click.search.yahoo.com", "/"}, {"medium.com", "/r/"},
	{"steamcommunity.com", "/linkfilter"}, {"slack-redir.net", "/link"}, {"naver.com", "/bridge"}, {"ebay.", "/rover/"},
	{"amazon.", "/gp/redirect"}, {"pinterest.", "/offsite"}, {"tiktok.com", "/link/"}, {"weibo.cn", "/sinaurl"}, {"etsy.com", "/r/"},
	{"microsoft.com", "/redirect"}, {"indeed.com", "/rc/clk"}, {"samsung.com", "/redirect"}, {"capterra.com", "/clickthrough"},
}

// Redirector speaks against links through a host that everybody trusts and that leads on to anywhere: social networks' and
// search engines' own. Its owner's mail may have them. Value: log2 of their number, 1 to 4. Argument: the host.
func Redirector(m *message.Message) message.Result {
	n, first := 0, ""
	for i := range m.Facts.Guise.Hosts {
		h := &m.Facts.Guise.Hosts[i]
		if h.Domain == m.Facts.Guise.Author || serviceOf(h.Name) != redirects && !redirectsAt(m, h) {
			continue
		}
		if n += h.Links; first == "" {
			first = h.Name
		}
	}
	if n == 0 {
		return message.Absent
	}
	return message.Present(count(n), quote(first))
}

// redirecting are the first labels of their domains.
var redirecting = func() map[string]bool {
	names := map[string]bool{}
	for _, o := range openRedirects {
		domain := wire.Organisation(strings.TrimSuffix(o.host, "."))
		name, _, _ := strings.Cut(domain, ".")
		names[name] = true
	}
	return names
}()

func redirectsAt(m *message.Message, h *message.LinkedHost) bool {
	if name, _, _ := strings.Cut(h.Domain, "."); !redirecting[name] {
		return false
	}
	for _, o := range openRedirects {
		if !strings.HasPrefix(h.Domain, o.host) && h.Name != o.host {
			continue
		}
		for i := range m.Links {
			if l := &m.Links[i]; l.Host == h.Name && l.Kind.Followed() && strings.HasPrefix(pathOf(l.URL), o.path) {
				return true
			}
		}
	}
	return false
}

// pathOf is the path, query and fragment of a URL, as written.
func pathOf(url string) string {
	i := strings.Index(url, "//")
	if i < 0 || i > 8 {
		i = 0
	} else {
		i += 2
	}
	n := strings.IndexAny(url[i:], "/?#")
	if n < 0 {
		return ""
	}
	return url[i+n:]
}
