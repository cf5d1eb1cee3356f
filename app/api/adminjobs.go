package api

import (
	"math"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
	"picora/store"
)

// job is one on the wire.
type job struct {
	ID          string     `json:"id"`
	Type        string     `json:"type"`
	MediaID     string     `json:"mediaId"`
	MediaName   *string    `json:"mediaName"`
	OwnerID     string     `json:"ownerId"`
	State       string     `json:"state"`
	Step        *string    `json:"step"`
	Progress    int        `json:"progress"`
	Speed       *float64   `json:"speed"`
	SecondsLeft *int       `json:"secondsLeft"`
	Attempts    int        `json:"attempts"`
	Error       *string    `json:"error"`
	CreatedAt   string     `json:"createdAt"`
	StartedAt   *string    `json:"startedAt"`
	EndedAt     *string    `json:"endedAt"`
	NextTryAt   *string    `json:"nextTryAt"`
	Log         *[]jobLine `json:"log,omitempty"`
}

type jobLine struct {
	At   string `json:"at"`
	Text string `json:"text"`
}

// jobState reads the state that a list is to have; zero: any.
func jobState(s string) (store.JobState, error) {
	for _, state := range []store.JobState{store.JobWaiting, store.JobRunning, store.JobDone, store.JobFailed} {
		if s == state.String() {
			return state, nil
		}
	}
	if s == "" {
		return 0, nil
	}
	return 0, fault.New(fault.Invalid, "state is waiting, running, done or failed.")
}

func (a *API) wireJob(j *library.Job, withLog bool) job {
	out := job{
		ID: j.ID, Type: "video", MediaID: j.Media, MediaName: orNull(j.Name), OwnerID: j.User, Step: orNull(j.Step), Progress: int(j.Progress * 100), Attempts: j.Attempts,
		State: j.State.String(), Error: orNull(j.Error), CreatedAt: stamp(j.Created), StartedAt: stampOrNull(j.Started), EndedAt: stampOrNull(j.Ended),
	}
	if j.Speed > 0 {
		speed := math.Round(j.Speed*100) / 100
		out.Speed = &speed
	}
	if j.Left > 0 {
		left := int(math.Ceil(j.Left.Seconds()))
		out.SecondsLeft = &left
	}
	if j.State == store.JobWaiting && j.NotBefore.After(a.store.Now()) {
		out.NextTryAt = stampOrNull(j.NotBefore)
	}
	if withLog {
		log := make([]jobLine, len(j.Log))
		for i, l := range j.Log {
			log[i] = jobLine{stamp(l.Time), l.Text}
		}
		out.Log = &log
	}
	return out
}

// listJobs handles GET /v1/admin/jobs.
func (a *API) listJobs(c *fiber.Ctx) error {
	limit, err := pageSize(c)
	if err != nil {
		return err
	}
	state, err := jobState(c.Query("state"))
	if err != nil {
		return err
	}
	name := "admin.jobs." + state.String()
	after, err := a.unseal(caller(c).User, name, c.Query("cursor"))
	if err != nil {
		return err
	}
	found, next, err := a.library.Jobs(c.UserContext(), state, after, limit)
	if err != nil {
		return err
	}
	items := make([]job, len(found))
	for i := range found {
		items[i] = a.wireJob(&found[i], false)
	}
	return list(c, page{items: items, keys: []string{"items", "jobs"}, next: a.seal(caller(c).User, name, next)})
}

// getJob handles GET /v1/admin/jobs/:id.
func (a *API) getJob(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	j, err := a.library.Job(c.UserContext(), id)
	if err != nil {
		return err
	}
	return ok(c, a.wireJob(&j, true))
}

// retryJob handles POST /v1/admin/jobs/:id/retry.
func (a *API) retryJob(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	j, err := a.library.RetryJob(c.UserContext(), id)
	if err != nil {
		return err
	}
	a.audit(c, "job.retried", j.ID, map[string]string{"media": j.Media, "owner": j.User})
	return ok(c, a.wireJob(&j, true))
}

// cancelJob handles DELETE /v1/admin/jobs/:id.
func (a *API) cancelJob(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	j, err := a.library.Job(c.UserContext(), id)
	if err != nil {
		return err
	}
	if err := a.library.CancelJob(c.UserContext(), id); err != nil {
		return err
	}
	a.audit(c, "job.cancelled", id, map[string]string{"media": j.Media, "owner": j.User})
	return ok(c, nil)
}
