package tenancy

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Page is a rendered report that an agent hands to a person. Content is whole
// HTML; it is empty in lists.
type Page struct {
	ID        uuid.UUID `json:"id"`
	Title     string    `json:"title"`
	Content   []byte    `json:"-"`
	Bytes     int       `json:"bytes"`
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// MaxPage bounds one page, in bytes.
const MaxPage = 4 << 20

// PutPage stores a page for the configured life and returns it with a one-time
// link token that opens it.
func (a *Application) PutPage(ctx context.Context, title string, content []byte, by string) (Page, string, error) {
	if len(content) > MaxPage {
		return Page{}, "", Errorf(TooLarge, "The page has %d bytes; at most %d are allowed.", len(content), MaxPage).WithNext("Narrow the report.")
	}
	now := a.now()
	p := Page{ID: NewID(), Title: title, Content: content, Bytes: len(content), CreatedBy: by, CreatedAt: now, ExpiresAt: now.Add(a.config.PageLife)}
	if err := a.ports.Pages.PutPage(ctx, a.tenant.ID, p, a.config.MaxPages, a.config.PageSpace); err != nil {
		return Page{}, "", err
	}
	a.meters.Page(a.tenant.ID, true)
	link, err := a.LinkPage(ctx, p)
	return p, link, err
}

// LinkPage returns a new one-time link token that opens a page.
func (a *Application) LinkPage(ctx context.Context, p Page) (string, error) {
	return a.Sign(ctx, KindPageLink, p.ID.String(), min(a.config.PageTokenLife, p.ExpiresAt.Sub(a.now())), Claims{})
}

// OpenPage returns a live page, from memory while the budget allows.
func (a *Application) OpenPage(ctx context.Context, id uuid.UUID) (Page, error) {
	if p, ok := a.pages.get(id, a.now()); ok {
		a.meters.Page(a.tenant.ID, false)
		return p, nil
	}
	p, err := a.ports.Pages.Page(ctx, a.tenant.ID, id)
	if err == nil {
		a.meters.Page(a.tenant.ID, false)
		a.pages.keep(p, a.now().Add(pageFor), a.budget)
	}
	return p, err
}

// ListPages lists the live pages, newest first, without content.
func (a *Application) ListPages(ctx context.Context) ([]Page, error) {
	return a.ports.Pages.Pages(ctx, a.tenant.ID)
}

// DeletePage removes a page in somebody's name, from the store and this node's
// memory; other nodes may show it for pageFor.
func (a *Application) DeletePage(ctx context.Context, id uuid.UUID, by string) error {
	a.pages.drop(id)
	return a.ports.Pages.DeletePage(ctx, a.tenant.ID, id, by)
}

// pageFor is how long a node may serve a page from memory: a deletion on
// another node takes effect within it.
const pageFor = 5 * time.Second

// pageCache holds recently opened pages, charged to the tenant's budget.
type pageCache struct {
	mu    sync.Mutex
	pages map[uuid.UUID]cachedPage
}

type cachedPage struct {
	page    Page
	until   time.Time
	release func()
}

func (c *pageCache) get(id uuid.UUID, now time.Time) (Page, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.pages[id]
	if ok && now.Before(p.until) && now.Before(p.page.ExpiresAt) {
		return p.page, true
	}
	c.remove(id)
	return Page{}, false
}

// keep remembers a page if the budget has room; else it is served from the
// store every time.
func (c *pageCache) keep(p Page, until time.Time, b *Budget) {
	release, err := b.Reserve(int64(p.Bytes))
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(p.ID)
	if c.pages == nil {
		release() // closed
		return
	}
	c.pages[p.ID] = cachedPage{p, until, release}
}

func (c *pageCache) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pages)
}

func (c *pageCache) drop(id uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(id)
}

func (c *pageCache) remove(id uuid.UUID) {
	if p, ok := c.pages[id]; ok {
		p.release()
		delete(c.pages, id)
	}
}

// sweep forgets what is too old, and with all everything.
func (c *pageCache) sweep(now time.Time, all bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, p := range c.pages {
		if all || !now.Before(p.until) {
			c.remove(id)
		}
	}
	if all {
		c.pages = nil
	}
}
