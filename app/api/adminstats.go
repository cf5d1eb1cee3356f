package api

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/store"
)

// stats is what the server holds and how it does (contract 19's AdminStats, and more).
type stats struct {
	Users    int64                `json:"userCount"`
	Images   int64                `json:"imageCount"`
	Bytes    int64                `json:"totalStorageBytes"`
	Admins   int64                `json:"adminCount"`
	Kinds    map[string]usedSpace `json:"kinds"`
	Months   []monthWire          `json:"months"`
	Jobs     statsJobs            `json:"jobs"`
	Disk     statsDisk            `json:"disk"`
	Database int64                `json:"databaseBytes"`
	Version  string               `json:"version"`
	Uptime   int64                `json:"uptimeSeconds"`
	At       string               `json:"countedAt"`
}

// statsJobs is what waits to be done.
type statsJobs struct {
	Unseen int64 `json:"imagesToLookAt"`
	Films  int   `json:"videosToMake"` // those that are being made, too
	Failed int   `json:"videosFailed"` // as far as their jobs are kept
	Trash  int64 `json:"filesToDelete"`
}

// statsDisk is the disk of the files. A total of null: it is not known.
type statsDisk struct {
	Free  int64  `json:"freeBytes"`
	Total *int64 `json:"totalBytes"`
}

// totalsAge is how old counts may be: counting reads a key or two for every account.
const totalsAge = time.Minute

// totals keeps the last counts. Whoever asks while they are counted waits for them.
type totals struct {
	mu    sync.Mutex
	taken time.Time
	last  store.Totals
	jobs  map[store.JobState]int
}

func (t *totals) get(ctx context.Context, s *store.Store) (store.Totals, map[store.JobState]int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := s.Now()
	if age := now.Sub(t.taken); !t.taken.IsZero() && age >= 0 && age < totalsAge {
		return t.last, t.jobs, nil
	}
	fresh, err := s.Totals(ctx)
	if err != nil {
		return t.last, t.jobs, err
	}
	jobs, err := s.CountJobs(ctx)
	if err == nil {
		t.last, t.jobs, t.taken = fresh, jobs, now
	}
	return t.last, t.jobs, err
}

// getStats handles GET /v1/admin/stats.
func (a *API) getStats(c *fiber.Ctx) error {
	t, jobs, err := a.totals.get(c.UserContext(), a.store)
	if err != nil {
		return err
	}
	out := stats{
		Users: t.Users, Admins: t.Admins, Images: t.Kinds[store.Image].N, Kinds: map[string]usedSpace{}, Months: wireMonths(t.Months),
		Jobs:    statsJobs{t.Unseen, jobs[store.JobWaiting] + jobs[store.JobRunning], jobs[store.JobFailed], t.Trash},
		Version: a.version, Uptime: int64(time.Since(a.started) / time.Second), At: stamp(t.At),
	}
	for k, name := range kindNames {
		n := t.Kinds[k]
		out.Kinds[name] = usedSpace{n.N, n.Bytes}
		out.Bytes += n.Bytes
	}
	free, total, err := a.library.Disk(c.UserContext())
	if err != nil {
		return err
	}
	if out.Disk.Free = free; total > 0 {
		out.Disk.Total = &total
	}
	if i, err := os.Stat(a.database); err == nil {
		out.Database = i.Size()
	}
	return ok(c, out)
}
