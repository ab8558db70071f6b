package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

// route is one path and who answers it.
type route struct {
	receiver.Route
	receiver receiver.Receiver
	segments []string
}

// routes finds a route by exact path; the few with wildcards are tried after.
type routes struct {
	base  string
	exact map[string]*route
	wild  []*route
}

// match is what looking a path up came to.
type match int

const (
	matched match = iota
	noPath
	noMethod
)

func newRoutes(receivers []receiver.Receiver, basePath string) (routes, error) {
	rs := routes{base: clean(basePath), exact: make(map[string]*route)}
	if rs.base == "/" {
		rs.base = ""
	}
	if len(receivers) == 0 {
		return rs, errors.New("no receivers")
	}
	problems := []error{rs.add(health())}
	for _, rc := range receivers {
		for _, r := range rc.Routes() {
			problems = append(problems, rs.add(&route{Route: r, receiver: rc}))
		}
	}
	problems = append(problems, rs.add(root()))
	return rs, errors.Join(problems...)
}

func (rs *routes) add(r *route) error {
	if strings.Contains(r.Path, "{") {
		r.segments = strings.Split(r.Path, "/")
		rs.wild = append(rs.wild, r)
		return nil
	}
	if other, taken := rs.exact[r.Path]; taken {
		return fmt.Errorf("path %s: answered by %s and by %s", r.Path, other.owner(), r.owner())
	}
	rs.exact[r.Path] = r
	return nil
}

func (r *route) owner() string {
	if r.receiver == nil {
		return "ingest"
	}
	return r.receiver.Name()
}

// health says that the function is up. It does not try the queue: a monitor that asks
// often would be paid for.
func health() *route {
	return &route{Route: receiver.Route{Methods: []string{http.MethodGet, http.MethodHead}, Path: "/healthz", Stub: healthy}}
}

// root is health too: PostHog's clients and load balancers ask there.
func root() *route {
	r := health()
	r.Path = "/"
	return r
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	receiver.WriteJSON(w, http.StatusOK, []byte(`{"status":"ok"}`))
}

// find looks up who answers. Trailing and repeated slashes do not matter: SDKs write
// both, and few follow a redirect.
func (rs *routes) find(method, path string) (*route, match) {
	path = clean(path)
	if rs.base != "" {
		rest, within := strings.CutPrefix(path, rs.base)
		if !within || (rest != "" && rest[0] != '/') {
			return nil, noPath
		}
		path = cmp.Or(rest, "/")
	}
	r := rs.exact[path]
	if r == nil {
		r = rs.wildcard(path)
	}
	switch {
	case r == nil:
		return nil, noPath
	case !slices.Contains(r.Methods, method):
		return r, noMethod
	}
	return r, matched
}

func (rs *routes) wildcard(path string) *route {
	segments := strings.Split(path, "/")
	for _, r := range rs.wild {
		if slices.EqualFunc(r.segments, segments, func(pattern, segment string) bool {
			return pattern == segment || (strings.HasPrefix(pattern, "{") && segment != "")
		}) {
			return r
		}
	}
	return nil
}

// clean folds repeated slashes and cuts the trailing one.
func clean(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if path = strings.TrimSuffix(path, "/"); path == "" || path[0] != '/' {
		path = "/" + path
	}
	return path
}

// refuse answers 404 or 405 with what there is instead.
func (rs *routes) refuse(w http.ResponseWriter, r *http.Request, why match) {
	e := &receiver.Error{Status: http.StatusNotFound, Code: "not_found", Message: "nothing is at this path; routes lists what is"}
	if why == noMethod {
		found, _ := rs.find(r.Method, r.URL.Path)
		allow := strings.Join(append(slices.Clone(found.Methods), http.MethodOptions), ", ")
		w.Header().Set("Allow", allow)
		e = &receiver.Error{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: "this path takes " + allow}
	}
	body := append(receiver.AppendError(nil, e), `,"routes":[`...)
	receiver.WriteJSON(w, e.Status, append(rs.appendList(body), "]}\n"...))
}

// appendList lists all routes as JSON, {"path":"/batch","methods":["POST","GET"]}, by path.
func (rs *routes) appendList(dst []byte) []byte {
	all := slices.Clone(rs.wild)
	for _, r := range rs.exact {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *route) int { return cmp.Compare(a.Path, b.Path) })
	for i, r := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = receiver.AppendQuote(append(dst, `{"path":`...), rs.base+r.Path)
		dst = append(dst, `,"methods":["`...)
		dst = append(dst, strings.Join(r.Methods, `","`)...)
		dst = append(dst, `"]}`...)
	}
	return dst
}
