package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// Resource is one resource or resource template of the catalogue. A read is
// dispatched like a call of a read-only tool; whatever the token may not see
// looks as if it did not exist.
type Resource struct {
	URI         string // RFC 6570 template if it has variables
	Name        string
	Title       string
	Description string
	Permission  *tenancy.Permission
	// MIME is application/json unless set.
	MIME string
	// fits reports whether there can be one of these variables; nil: the database knows.
	fits func(vars variables) bool
	read func(ctx context.Context, c *Call, vars variables) (any, error)
}

// variables are the values of a template's variables.
type variables map[string]string

const jsonMIME = "application/json"

func (r Resource) mime() string {
	if r.MIME != "" {
		return r.MIME
	}
	return jsonMIME
}

// Resources lists every resource of the product.
func Resources() []Resource {
	projects, issues := needs(tenancy.ProjectsRead), needs(tenancy.IssuesRead)
	return append([]Resource{
		{URI: "colaflow://me", Name: "me", Title: "This token", Description: "Who this token is and what it may do.", read: readMe},
		{URI: "colaflow://projects", Name: "projects", Title: "Projects", Description: "Active projects.", Permission: projects, read: readProjects},
		{URI: "colaflow://reference/search", Name: "search-reference", Title: "Search reference", MIME: "text/markdown",
			Description: "How search_issues reads text and filters.", read: readSearchReference},
		{URI: "colaflow://projects/{project}", Name: "project", Title: "Project", Description: "One project with its counts.",
			Permission: projects, read: readProject},
		{URI: "colaflow://projects/{project}/workflow", Name: "workflow", Title: "Workflow", Description: "Statuses and where each may go.",
			Permission: projects, read: readWorkflow},
		{URI: "colaflow://projects/{project}/issues{?status,assignee,sprint,cursor}", Name: "project-issues", Title: "Issues of a project",
			Description: "Open issues, or those in a status.", Permission: needs(tenancy.IssuesSearch), read: readProjectIssues},
		{URI: "colaflow://projects/{project}/sprints/current", Name: "current-sprint", Title: "Current sprint",
			Description: "The active sprint and its issues.", Permission: needs(tenancy.SprintsRead), read: readCurrentSprint},
		{URI: "colaflow://projects/{project}/reports/{type}{?sprint}", Name: "report", Title: "Report",
			Description: "A report with its series and table, as get_report computes it.", Permission: needs(tenancy.ReportsRead), fits: isReport, read: readReport},
		{URI: "colaflow://issues/{key}", Name: "issue", Title: "Issue", Description: "One issue whole, with comments and relations.",
			Permission: issues, read: readIssue},
		{URI: "colaflow://issues/{key}/history", Name: "issue-history", Title: "Issue history", Description: "Every change of one issue.",
			Permission: issues, read: readIssueHistory},
	}, fixtureResources()...)
}

// isTemplate reports whether the URI has variables.
func (r Resource) isTemplate() bool { return strings.Contains(r.URI, "{") }

// addResources registers the catalogue with mcp-go.
func (s *Server) addResources() {
	for _, r := range Resources() {
		handler := s.resourceHandler(r)
		if r.isTemplate() {
			s.mcp.AddResourceTemplate(mcp.NewResourceTemplate(r.URI, r.Name, mcp.WithTemplateTitle(r.Title),
				mcp.WithTemplateDescription(r.Description), mcp.WithTemplateMIMEType(r.mime())), handler)
			continue
		}
		s.mcp.AddResource(mcp.NewResource(r.URI, r.Name, mcp.WithResourceTitle(r.Title),
			mcp.WithResourceDescription(r.Description), mcp.WithMIMEType(r.mime())), handler)
	}
}

func (s *Server) resourceHandler(res Resource) func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	return func(ctx context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		vars := variables{}
		for name, value := range request.Params.Arguments {
			vars[name] = firstString(value)
		}
		data, err := s.dispatch(ctx, Tool{Name: "resource " + res.Name, ReadOnly: true, Permission: res.Permission,
			run: func(ctx context.Context, c *Call, _ any) (any, error) {
				c.target = request.Params.URI
				return res.read(ctx, c, vars)
			}}, requestFrom(ctx))
		if err != nil {
			return nil, err
		}
		text := string(data)
		if res.MIME != "" {
			if err := json.Unmarshal(data, &text); err != nil {
				return nil, fmt.Errorf("resource %s: %w", res.Name, err)
			}
		}
		if strings.HasPrefix(res.MIME, "image/") {
			return []mcp.ResourceContents{mcp.BlobResourceContents{URI: request.Params.URI, MIMEType: res.MIME, Blob: text}}, nil
		}
		return []mcp.ResourceContents{mcp.TextResourceContents{URI: request.Params.URI, MIMEType: res.mime(), Text: text}}, nil
	}
}

func firstString(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []string:
		if len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// recentProjects is how many projects resources/list names. It never lists issues.
const recentProjects = 20

// listResources fills resources/list with what the token sees.
func (s *Server) listResources(ctx context.Context, _ any, _ *mcp.ListResourcesRequest, result *mcp.ListResourcesResult) {
	r := requestFrom(ctx)
	visible := result.Resources[:0]
	for _, res := range Resources() {
		for _, listed := range result.Resources {
			if listed.URI == res.URI && (res.Permission == nil || r.principal.May(*res.Permission)) {
				visible = append(visible, listed)
			}
		}
	}
	result.Resources = visible
	var rows []store.ProjectName
	err := s.enter(ctx, r, func(tx *store.Tx) error {
		if !r.principal.May(tenancy.ProjectsRead) {
			return nil
		}
		return tx.Do(ctx, store.RecentProjects(recentProjects, &rows))
	})
	if err != nil {
		s.failList(r, err)
		return
	}
	for _, p := range rows {
		result.Resources = append(result.Resources, mcp.NewResource("colaflow://projects/"+p.Key, p.Key, mcp.WithResourceTitle(p.Name),
			mcp.WithMIMEType(jsonMIME)))
	}
}

// failList ends a list that could not be read: refused, or an internal error.
func (s *Server) failList(r *request, err error) {
	if isRefusal(err) {
		r.refused = err
		return
	}
	s.log.Error("list failed", "request", r.id, "error", err)
	r.problem = &problem{codeInternal, tenancy.Public(err, r.id).Error()}
}

// listTemplates hides the templates that the token may not read.
func (s *Server) listTemplates(ctx context.Context, _ any, _ *mcp.ListResourceTemplatesRequest, result *mcp.ListResourceTemplatesResult) {
	r := requestFrom(ctx)
	all := result.ResourceTemplates
	result.ResourceTemplates = make([]mcp.ResourceTemplate, 0, len(all))
	for _, res := range Resources() {
		for _, listed := range all {
			if listed.Name == res.Name && (res.Permission == nil || r.principal.May(*res.Permission)) {
				result.ResourceTemplates = append(result.ResourceTemplates, listed)
			}
		}
	}
}
