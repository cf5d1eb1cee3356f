package api

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/scrub"
	"picora/store"
)

// scrubState is the check of the files, on the wire.
type scrubState struct {
	Running   *scrubRun  `json:"running"`
	Last      *scrubRun  `json:"last"`
	NextAt    *string    `json:"nextAt"`
	ReadAllAt *string    `json:"readAllAt"`
	Found     scrubFound `json:"found"`
}

type scrubFound struct {
	Missing     int   `json:"missing"`
	Corrupt     int   `json:"corrupt"`
	Orphans     int   `json:"orphans"`
	OrphanBytes int64 `json:"orphanBytes"`
	InBin       int   `json:"inBin"`
}

type scrubRun struct {
	By          string        `json:"by"`
	Repair      bool          `json:"repair"`
	BeganAt     string        `json:"beganAt"`
	EndedAt     *string       `json:"endedAt"`
	Phase       *string       `json:"phase"`
	Files       int64         `json:"files"`
	Bytes       int64         `json:"bytes"`
	FilesRead   int64         `json:"filesRead"`
	BytesRead   int64         `json:"bytesRead"`
	BytesToRead *int64        `json:"bytesToRead"`
	NewFindings int64         `json:"newFindings"`
	Repaired    int64         `json:"repaired"`
	Deleted     int64         `json:"deleted"`
	Held        bool          `json:"held"`
	Stopped     bool          `json:"stopped"`
	Error       *string       `json:"error"`
	Repairs     []scrubRepair `json:"repairs"`
}

type scrubRepair struct {
	MediaID *string `json:"mediaId"`
	OwnerID *string `json:"ownerId"`
	Role    string  `json:"role"`
	Problem string  `json:"problem"`
	How     string  `json:"how"`
}

// scrubFinding is a file with which something is wrong.
type scrubFinding struct {
	ID        string  `json:"id"`
	Problem   string  `json:"problem"`
	Detail    *string `json:"detail"`
	SizeBytes int64   `json:"sizeBytes"`
	FoundAt   string  `json:"foundAt"`
	DeleteAt  *string `json:"deleteAt"`
	Role      *string `json:"role"`
	MediaID   *string `json:"mediaId"`
	Name      *string `json:"name"`
	OwnerID   *string `json:"ownerId"`
}

func wireRun(r *scrub.Run) *scrubRun {
	if r == nil {
		return nil
	}
	out := &scrubRun{
		By: "admin", Repair: r.Repair, BeganAt: stamp(r.Began), EndedAt: stampOrNull(r.Ended), Files: r.Files, Bytes: r.Bytes, FilesRead: r.Read, BytesRead: r.ReadBytes,
		NewFindings: r.Fresh, Repaired: r.Repaired, Deleted: r.Deleted, Held: r.Held, Stopped: r.Stopped, Error: orNull(r.Error), Repairs: []scrubRepair{},
	}
	if r.By == scrub.Nightly || r.By == scrub.Command {
		out.By = r.By
	}
	if r.Ended.IsZero() && r.Phase != scrub.Done {
		out.Phase = orNull(string(r.Phase))
	}
	if n := r.ToRead(); n > 0 {
		out.BytesToRead = &n
	}
	for _, d := range r.Repairs {
		out.Repairs = append(out.Repairs, scrubRepair{orNull(d.Media), orNull(d.User), d.Role, d.Problem, d.How})
	}
	return out
}

// getScrub handles GET /v1/admin/scrub.
func (a *API) getScrub(c *fiber.Ctx) error {
	s, next, found, err := a.scrub.Status(c.UserContext())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return ok(c, scrubState{
		Running: wireRun(s.Run), Last: wireRun(s.Last), NextAt: stampOrNull(next), ReadAllAt: stampOrNull(s.Cycle.Done),
		Found: scrubFound{found.Missing, found.Corrupt, found.Orphans, found.OrphanBytes, found.Binned},
	})
}

// startScrub handles POST /v1/admin/scrub.
func (a *API) startScrub(c *fiber.Ctx) error {
	in, err := readKnown(c, true, "repair")
	if err != nil {
		return err
	}
	repair, err := take[bool](in, "repair")
	if err != nil {
		return err
	}
	fix := repair != nil && *repair
	if _, err := a.scrub.Start(c.UserContext(), caller(c).User, fix); err != nil {
		return err
	}
	a.audit(c, "scrub.started", "", map[string]string{"repair": strconv.FormatBool(fix)})
	c.Status(fiber.StatusAccepted)
	return a.getScrub(c)
}

// stopScrub handles DELETE /v1/admin/scrub.
func (a *API) stopScrub(c *fiber.Ctx) error {
	if err := a.scrub.Stop(c.UserContext()); err != nil {
		return err
	}
	a.audit(c, "scrub.stopped", "", nil)
	return ok(c, nil)
}

// listFindings handles GET /v1/admin/scrub/findings.
func (a *API) listFindings(c *fiber.Ctx) error {
	limit, err := pageSize(c)
	if err != nil {
		return err
	}
	problem, known := store.Problems[c.Query("problem")]
	if !known && c.Query("problem") != "" {
		return fault.New(fault.Invalid, "problem is missing, corrupt or orphan.")
	}
	name := "admin.scrub." + problem.String()
	after, err := a.unseal(caller(c).User, name, c.Query("cursor"))
	if err != nil {
		return err
	}
	found, next, err := a.scrub.Findings(c.UserContext(), problem, after, limit)
	if err != nil {
		return err
	}
	items := make([]scrubFinding, len(found))
	for i := range found {
		f, k := &found[i], &found[i].Kept
		items[i] = scrubFinding{
			ID: f.Blob, Problem: f.Problem.String(), Detail: orNull(f.Detail), SizeBytes: f.Size, FoundAt: stamp(f.Found), DeleteAt: stampOrNull(f.Ends),
			Role: orNull(k.Role), Name: orNull(k.Name), OwnerID: orNull(k.User),
		}
		if k.Media != nil {
			items[i].MediaID = &k.ID
		}
	}
	return list(c, page{items: items, keys: []string{"items", "findings"}, next: a.seal(caller(c).User, name, next)})
}
