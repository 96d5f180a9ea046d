package mcpserver

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker"
)

// What one client may watch at once.
const (
	maxWatched = 100
	maxURI     = 1000
)

// subscription is one resource that a client watches, and how far it was told.
type subscription struct {
	uri       string
	resource  *Resource
	key       string    // of the project that it is in; empty: of none, or of all
	projectID uuid.UUID // zero unless it is in one
	issueID   uuid.UUID // zero unless it is of one

	changed bool      // and not told yet
	told    time.Time // last
}

// allowedTo reports whether a principal may know of the resource's changes.
func (sub *subscription) allowedTo(p *tenancy.Principal) bool {
	return (sub.resource.Permission == nil || p.May(*sub.resource.Permission)) && (sub.key == "" || p.Grants.CoversProject(sub.key))
}

// news is what changed in a tenant, by what subscriptions ask.
type news struct {
	all      bool
	issues   map[uuid.UUID]bool
	projects map[uuid.UUID]string // by id the keys of those in which anything changed
	plans    map[uuid.UUID]bool   // projects that changed themselves, or whose sprints did
	epochs   map[uuid.UUID]int64  // of the tokens that worked then
}

func newsOf(w store.Work) news {
	n := news{all: w.More, issues: map[uuid.UUID]bool{}, projects: map[uuid.UUID]string{}, plans: map[uuid.UUID]bool{}, epochs: w.Epochs}
	for _, item := range w.Items {
		n.projects[item.ProjectID] = item.ProjectKey
		if item.IssueID == uuid.Nil {
			n.plans[item.ProjectID] = true
		} else {
			n.issues[item.IssueID] = true
		}
	}
	return n
}

// concern reports whether the resource may read differently now. An issue changes with
// its own events, a project with everything in it, and the list of projects, which has
// counts, with every project that the principal sees.
func (n news) concern(sub *subscription, p *tenancy.Principal) bool {
	switch {
	case sub.issueID != uuid.Nil:
		return n.all || n.issues[sub.issueID]
	case sub.projectID != uuid.Nil && sub.resource.Name == "workflow":
		return n.all || n.plans[sub.projectID]
	case sub.projectID != uuid.Nil:
		_, ok := n.projects[sub.projectID]
		return n.all || ok
	case sub.resource.Name != "projects":
		return false
	}
	for _, key := range n.projects {
		if p.Grants.CoversProject(key) {
			return true
		}
	}
	return n.all
}

// watched is a resource with its template compiled.
type watched struct {
	*Resource
	template *mcp.URITemplate // nil: the URI itself
}

func watchedResources() []watched {
	var list []watched
	for _, r := range Resources() {
		w := watched{Resource: &r}
		if r.isTemplate() {
			w.template = mcp.NewResourceTemplate(r.URI, r.Name).URITemplate
		}
		list = append(list, w)
	}
	return list
}

// find returns the resource that a URI names, with its variables, as resources/read would.
func (s *Server) find(uri string) (*Resource, variables) {
	for _, w := range s.watched {
		switch {
		case w.template == nil && w.URI == uri:
			return w.Resource, nil
		case w.template != nil && w.template.Regexp().MatchString(uri):
			vars := variables{}
			for name, value := range w.template.Match(uri) {
				vars[name] = firstString(value.V)
			}
			if w.fits != nil && !w.fits(vars) {
				return nil, nil
			}
			return w.Resource, vars
		}
	}
	return nil, nil
}

// watch turns URIs into subscriptions: those that the request's token may read, in
// their order. The others are left out, whether they exist or not.
func (s *Server) watch(ctx context.Context, r *request, uris []string) ([]subscription, error) {
	var named []subscription
	var keys []tracker.IssueKey // of each; without a number: of a project; empty: neither
	for n, uri := range uris {
		res, vars := s.find(uri)
		if res == nil || len(uri) > maxURI || slices.Contains(uris[:n], uri) {
			continue
		}
		key, err := tracker.ParseIssueKey(vars["key"])
		if err != nil {
			key = tracker.IssueKey{Project: projectKey(vars["project"])}
		}
		named, keys = append(named, subscription{uri: uri, resource: res, key: key.Project}), append(keys, key)
	}
	var projects, issues []store.Place
	err := s.enter(ctx, r, func(tx *store.Tx) error { return tx.Do(ctx, store.Locate(keys, &projects, &issues)) })
	if err != nil {
		return nil, err
	}
	places := map[tracker.IssueKey]store.Place{}
	for _, p := range append(projects, issues...) {
		places[p.Key] = p
	}
	list := make([]subscription, 0, len(named))
	for n, sub := range named {
		place, found := places[keys[n]]
		if sub.projectID, sub.issueID = place.ProjectID, place.IssueID; sub.allowedTo(&r.principal) && (found || !sub.resource.isTemplate()) {
			list = append(list, sub)
		}
	}
	return list, nil
}
