package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// question is what a signed-in person is asked.
type question struct {
	person Person
	client client
	asked  request
}

// Why a consent is not given, beside what the store says.
var (
	errOtherForm = tenancy.Errorf(tenancy.Forbidden, "This form was not made for this session.").WithNext("Connect again from your application.")
	errDeclined  = tenancy.Errorf(tenancy.Declined, "The person declined.")
)

// deny leaves a row of a consent that a person may not give, or does not want to. A no of
// theirs has a row each time; what they may not do is counted, as calls are.
func (s *Server) deny(r *http.Request, q question, err error) error {
	var known *tenancy.Error
	if !errors.As(err, &known) || !known.Code.IsDenial() && known.Code != tenancy.Declined {
		return nil
	}
	row := store.AuditRow{TenantID: q.person.Tenant.ID, Kind: "call", MemberID: &q.person.Member.ID, Actor: q.person.Member.Label(), Client: q.client.Name,
		Method: "oauth.consent", Decision: store.Denied, Rule: known.Message, Code: string(known.Code)}
	if known.Code == tenancy.Declined {
		row.Kind = "admin"
	}
	row.Args, _ = json.Marshal(map[string]any{"client_id": q.client.ID, "redirect_uri": q.asked.Redirect, "session": q.person.Session}) // cannot fail
	if err := s.Store.Record(context.WithoutCancel(r.Context()), row); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// refuse tells a signed-in person why they cannot be asked, or why their answer does not
// count, once a row says so too.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, q question, why error) {
	var known *tenancy.Error
	if err := s.deny(r, q, why); err != nil {
		why = err
	}
	if !errors.As(why, &known) || !known.Code.IsDenial() {
		s.broken(w, r, why)
		return
	}
	s.refusePage(w, http.StatusForbidden, "This cannot be allowed", known.Sentence())
}

// decline takes the person's no back to the client, once a row tells of it.
func (s *Server) decline(w http.ResponseWriter, r *http.Request, q question) {
	if err := s.deny(r, q, errDeclined); err != nil {
		s.broken(w, r, err)
		return
	}
	answer := url.Values{"error": {"access_denied"}, "error_description": {errDeclined.Message}}
	http.Redirect(w, r, s.callback(q.asked.Redirect, string(q.asked.State), answer), http.StatusSeeOther)
}

// broken is for what the person can only try again.
func (s *Server) broken(w http.ResponseWriter, r *http.Request, err error) {
	id := tenancy.RequestOf(r.Context()).ID
	s.Log.Error("consent", "request", id, "error", err)
	s.refusePage(w, http.StatusServiceUnavailable, "Something went wrong here", "Reload the page in a moment; tell your admin the request id if it happens again: "+id+".")
}
