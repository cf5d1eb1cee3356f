package api

import (
	"github.com/gofiber/fiber/v2"

	"picora/app/config"
	"picora/app/settings"
)

// getSettings handles GET /v1/admin/settings.
func (a *API) getSettings(c *fiber.Ctx) error { return ok(c, a.settings.Live()) }

// updateSettings handles PATCH /v1/admin/settings.
func (a *API) updateSettings(c *fiber.Ctx) error {
	in, err := readChange(c, "registration", "plan", "name")
	if err != nil {
		return err
	}
	registration, err := in.choice("registration", "closed", "invite", "open")
	if err != nil {
		return err
	}
	plan, err := in.choice("plan", config.PlanNames...)
	if err != nil {
		return err
	}
	name, named, err := in.line("name", 64)
	if err != nil {
		return err
	}
	change := settings.Change{Registration: registration, Plan: plan}
	if named {
		change.Name = &name
	}
	old, now, err := a.settings.Change(c.UserContext(), change)
	if err != nil {
		return err
	}
	detail := map[string]string{}
	noteDifference(detail, "registration", old.Registration, now.Registration)
	noteDifference(detail, "plan", old.Plan, now.Plan)
	noteDifference(detail, "name", old.Name, now.Name)
	if len(detail) > 0 {
		a.audit(c, "settings.changed", "", detail)
	}
	return ok(c, now)
}
