package mail

import (
	"fmt"
	"time"
)

// MediaStorageLow and the four below are what StorageLow and those below it are for
// pictures, for audio and video.
func MediaStorageLow(lang, used, limit string) Text {
	if lang == "zh-CN" {
		return Text{"音视频存储空间已用 80%", fmt.Sprintf("已用 %s，共 %s。请删除一些文件，或请管理员升级套餐。", used, limit)}
	}
	return Text{"80 % of your audio and video storage is used",
		fmt.Sprintf("%s of %s. Delete files or ask the administrator to upgrade the plan.", used, limit)}
}

// MediaStorageFull tells that no more audio and video is taken in.
func MediaStorageFull(lang, used, limit string) Text {
	if lang == "zh-CN" {
		return Text{"音视频存储空间已用完", fmt.Sprintf("已用 %s，共 %s。不能再上传音频或视频。请删除一些文件，或请管理员升级套餐。", used, limit)}
	}
	return Text{"Your audio and video storage is used up",
		fmt.Sprintf("%s of %s. No more audio or video is taken in. Delete files or ask the administrator to upgrade the plan.", used, limit)}
}

// MediaDidNotFit tells that a file was larger than the room that is left.
func MediaDidNotFit(lang, used, limit string) Text {
	if lang == "zh-CN" {
		return Text{"音视频存储空间不足", fmt.Sprintf("有一个文件放不下：已用 %s，共 %s。请删除一些文件，或请管理员升级套餐。", used, limit)}
	}
	return Text{"Your audio and video storage is full",
		fmt.Sprintf("A file did not fit: %s of %s are used. Delete files or ask the administrator to upgrade the plan.", used, limit)}
}

// MediaBandwidthLow tells that most of a month's bandwidth is used.
func MediaBandwidthLow(lang, used, limit string, when time.Time) Text {
	if lang == "zh-CN" {
		return Text{monthOf(lang, when) + "音视频流量已用 80%", fmt.Sprintf("已用 %s，共 %s。如果不够用，请管理员升级套餐。", used, limit)}
	}
	return Text{"80 % of your audio and video bandwidth of " + monthOf(lang, when) + " is used",
		fmt.Sprintf("%s of %s. Ask the administrator to upgrade the plan if it will not do.", used, limit)}
}

// MediaBandwidthFull tells that a month's bandwidth is used up.
func MediaBandwidthFull(lang, used, limit string, when time.Time) Text {
	if lang == "zh-CN" {
		return Text{monthOf(lang, when) + "音视频流量已用完", fmt.Sprintf("已用 %s，共 %s。链接仍可访问，但本月不能再上传音频或视频。如果不够用，请管理员升级套餐。", used, limit)}
	}
	return Text{"Your audio and video bandwidth of " + monthOf(lang, when) + " is used up",
		fmt.Sprintf("%s of %s. Links go on working, but no more audio or video is taken in in this month. Ask the administrator to upgrade the plan if it will not do.", used, limit)}
}

// VideoFailed tells that nothing can be made of a video; why is a sentence.
func VideoFailed(lang, name, why string) Text {
	if lang == "zh-CN" {
		return Text{"有一个视频处理失败", fmt.Sprintf("“%s”无法播放。原因：%s", name, why)}
	}
	return Text{"A video could not be processed", fmt.Sprintf("“%s” cannot be played. %s", name, why)}
}

// FilesDamaged tells an administrator what a check of the files found.
func FilesDamaged(lang string, missing, corrupt, orphans, repaired int) Text {
	if lang == "zh-CN" {
		return Text{"文件检查发现问题", fmt.Sprintf("缺失：%d，损坏：%d，无主：%d。本次已修复：%d。详情见“管理”页面。", missing, corrupt, orphans, repaired)}
	}
	return Text{"A check of the files found something",
		fmt.Sprintf("Missing: %d, damaged: %d, belonging to nobody: %d. Put right this time: %d. The administration says more.", missing, corrupt, orphans, repaired)}
}

// VideoIncomplete tells that a video plays, but not in all sizes; why is a sentence.
func VideoIncomplete(lang, name, why string) Text {
	if lang == "zh-CN" {
		return Text{"有一个视频未能全部处理", fmt.Sprintf("“%s”可以播放，但并非所有清晰度都已生成。原因：%s", name, why)}
	}
	return Text{"A video could not be processed in full", fmt.Sprintf("“%s” plays, but not all of its sizes could be made. %s", name, why)}
}
