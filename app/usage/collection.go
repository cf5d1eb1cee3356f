package usage

import (
	"picora/app/fault"
	"picora/store"
)

// MayCollect refuses one more collection to an account that has so many.
func (u *Usage) MayCollect(a store.User, have int) error {
	if err := u.MayWrite(a); err != nil {
		return err
	}
	if most := u.Limits(a).KBCount; exceeds(int64(have)+1, most) {
		return full(fault.CollectionLimit, "kb_count", have, most,
			"Collection quota reached: %d of %d. Delete a collection, or ask the administrator to upgrade the plan.")
	}
	return nil
}

// MayMakeType refuses one more type of collections to an account that has so many.
func (u *Usage) MayMakeType(a store.User, have int) error {
	most := u.Limits(a).CollectionTypes
	if most == 0 {
		return &fault.Error{
			Code: fault.PlanRequired, Message: "Types of your own need an upgrade: the account's plan has none. Ask the administrator for a plan that does.",
			Meta: map[string]any{"plan": "pro_plus"},
		}
	}
	if exceeds(int64(have)+1, most) {
		return full(fault.CustomTypeLimit, "collection_types", have, most,
			"Quota of collection types reached: %d of %d. Delete one, or ask the administrator to upgrade the plan.")
	}
	return nil
}

func full(code fault.Code, dimension string, have int, most int64, format string) error {
	f := fault.New(code, format, have, most)
	f.Meta = map[string]any{"type": dimension, "used": have, "limit": most}
	return f
}
