package mcpserver

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/google/uuid"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// What cannot be taken back is asked for first. A client that can ask its person gets
// the question as a result that requires input, and comes again with the answer and the
// state; another one gets a confirm_token to come again with. Both are the same sealed
// value: it holds for this token, tool, arguments and effect, for a while, and once.

// confirmLife is how long a confirmation may take.
const confirmLife = 5 * time.Minute

// confirmOver is how many issues may change without being asked for.
const confirmOver = 25

// confirmInput names our question among a client's answers.
const confirmInput = "confirm"

// Confirmation is the argument of tools that may ask first.
type Confirmation struct {
	ConfirmToken string `json:"confirm_token,omitzero" doc:"From the first answer, once your person agreed"`
}

func (c Confirmation) confirmToken() string { return c.ConfirmToken }

// withoutConfirmation is the arguments as they were before they were confirmed.
func withoutConfirmation(in any) any {
	bare := reflect.New(reflect.TypeOf(in)).Elem()
	bare.Set(reflect.ValueOf(in))
	if field := bare.FieldByName("Confirmation"); field.IsValid() {
		field.SetZero()
	}
	return bare.Interface()
}

// consent is what a call knows of its confirmation.
type consent struct {
	sealer  tenancy.Sealer
	asks    bool     // the client can ask its person
	given   string   // the sealed value that came with the call
	agreed  bool     // what the person said, where the client asks
	refused bool     // the same
	digest  [32]byte // of the arguments
	dryRun  bool
}

// consentOf reads what of a confirmation came with a call.
func (s *Server) consentOf(r *request, in any, dryRun bool) consent {
	c := consent{sealer: s.confirmations, asks: r.message.elicits(), dryRun: dryRun, digest: sha256.Sum256(mustJSON(withoutConfirmation(in)))}
	if c.asks {
		c.given = r.message.state
		var answers map[string]struct {
			Action  string
			Content struct{ Confirm bool }
		}
		_ = json.Unmarshal(r.message.responses, &answers) // what cannot be read is no answer
		if answer, ok := answers[confirmInput]; ok {
			c.agreed = answer.Action == string(mcp.ElicitationResponseActionAccept) && answer.Content.Confirm
			c.refused = !c.agreed
		}
	} else if confirmed, ok := in.(interface{ confirmToken() string }); ok {
		c.given = confirmed.confirmToken()
	}
	return c
}

// asking is the error of a call that is to come again with something; result says so.
type asking interface {
	error
	result(requestID string) *mcp.CallToolResult
}

// question is the error of a call that is to be confirmed.
type question struct {
	text  string
	state string
	asks  bool
}

// Error implements error.
func (q *question) Error() string { return q.failure().Error() }

// Unwrap lets the audit and the metrics see the code.
func (q *question) Unwrap() error { return q.failure() }

func (q *question) failure() *tenancy.Error {
	return tenancy.Errorf(tenancy.ConfirmationRequired, "%s Nothing was changed yet.", q.text).
		WithNext(fmt.Sprintf("Ask your person; if they agree, repeat the call within %d minutes with the same arguments and confirm_token %q.",
			int(confirmLife.Minutes()), q.state))
}

// result asks the client for input, or tells the model how to go on.
func (q *question) result(requestID string) *mcp.CallToolResult {
	if !q.asks {
		return failure(q.failure(), requestID)
	}
	return server.NewInputRequestBuilder(q.state).Elicit(confirmInput, mcp.ElicitationParams{
		Mode: mcp.ElicitationModeForm, Message: q.text,
		RequestedSchema: map[string]any{"type": "object", "required": []string{"confirm"},
			"properties": map[string]any{"confirm": map[string]any{"type": "boolean", "title": "Do it", "description": q.text}}},
	}).ToolResult()
}

// confirm returns nil if what the call is about to do was agreed to, and spends the
// agreement together with it. text says it to a person; of is what exactly it is done
// to. People who are signed in are asked by their own surface.
func (c *Call) confirm(ctx context.Context, text string, of ...string) error {
	if c.TokenID == uuid.Nil || c.consent.dryRun {
		return nil
	}
	effect := c.effect(text, of)
	switch {
	case c.consent.refused:
		return tenancy.Errorf(tenancy.Declined, "The person declined: %s", text).WithNext("Nothing was changed. Do not retry.")
	case c.consent.given == "", c.consent.asks && !c.consent.agreed:
		return &question{text: text, state: c.seal(effect), asks: c.consent.asks}
	}
	return c.spend(ctx, effect)
}

// spend returns nil if what was sealed and came with the call holds for the effect, and
// spends it together with the call.
func (c *Call) spend(ctx context.Context, effect []byte) error {
	nonce, expires, err := c.unseal(effect)
	if err != nil {
		return err
	}
	var fresh bool
	if err := c.do(ctx, store.Spend(nonce, expires, &fresh)); err != nil {
		return err
	}
	if !fresh {
		return errConfirmation
	}
	return nil
}

// errConfirmation is the one answer to a confirmation that does not hold.
var errConfirmation = tenancy.Errorf(tenancy.ConfirmationInvalid,
	"The confirmation is not for this call as it is now, or it has expired or was used.").
	WithNext("Nothing was changed. Call without it to be asked again.")

// seal makes the state of a question: a nonce, an end, and what it is for.
func (c *Call) seal(effect []byte) string {
	nonce := uuid.New()
	plain := binary.BigEndian.AppendUint64(nonce[:], uint64(c.Now.Add(confirmLife).Unix()))
	return c.consent.sealer.Seal(append(plain, effect...), c.bound())
}

// unseal opens what seal made for the effect. The state of a request that was never given
// to this client is an error of the protocol.
func (c *Call) unseal(effect []byte) (nonce uuid.UUID, expires time.Time, err error) {
	plain, err := c.consent.sealer.Open(c.consent.given, c.bound())
	if err != nil && c.consent.asks {
		return nonce, expires, &protocolError{problem: problem{codeInvalidParams, errConfirmation.Error()}, cause: errConfirmation}
	}
	if err != nil || len(plain) != 16+8+sha256.Size || string(plain[24:]) != string(effect) {
		return nonce, expires, errConfirmation
	}
	if expires = time.Unix(int64(binary.BigEndian.Uint64(plain[16:24])), 0); c.Now.After(expires) {
		return nonce, expires, errConfirmation
	}
	return uuid.UUID(plain[:16]), expires, nil
}

// effect is what is agreed to: these arguments, and what they would do as the person
// was told.
func (c *Call) effect(text string, of []string) []byte {
	sum := sha256.Sum256(append(c.consent.digest[:], mustJSON(append(of, text))...))
	return sum[:]
}

// bound is whose agreement it is, to what tool, and in which of the two ways.
func (c *Call) bound() []byte {
	return fmt.Appendf(nil, "%s %s %s %t", c.TenantID, c.TokenID, c.tool, c.consent.asks)
}
