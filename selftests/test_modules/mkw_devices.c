// SPDX-License-Identifier: GPL-2.0
/*
 * Two devices whose ->fault returns a page of their own, unlocked, for the
 * program drivers: a frame buffer with deferred I/O, and a file in sysfs,
 * whose ->page_mkwrite is kernfs' as the driver has none.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fb.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sysfs.h>
#include <linux/vmalloc.h>

#include "mkw_compat.h"

/* sysfs: /sys/kernel/mkwrite/page */

static struct page *mkw_page;
static struct kobject *mkw_kobj;

static vm_fault_t mkw_bin_fault(struct vm_fault *vmf)
{
	if (vmf->pgoff)
		return VM_FAULT_SIGBUS;
	get_page(mkw_page);
	vmf->page = mkw_page;
	return 0;
}

static const struct vm_operations_struct mkw_bin_vm_ops = {
	.fault = mkw_bin_fault,
};

static int mkw_bin_mmap(struct file *filp, struct kobject *kobj,
			MKW_BIN_ATTR *attr, struct vm_area_struct *vma)
{
	vma->vm_ops = &mkw_bin_vm_ops;
	return 0;
}

static struct bin_attribute mkw_bin = {
	.attr = { .name = "page", .mode = 0600 },
	.size = PAGE_SIZE,
	.mmap = mkw_bin_mmap,
};

static int __init mkw_bin_init(void)
{
	int err;

	mkw_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!mkw_page)
		return -ENOMEM;
	mkw_kobj = kobject_create_and_add("mkwrite", kernel_kobj);
	err = mkw_kobj ? sysfs_create_bin_file(mkw_kobj, &mkw_bin) : -ENOMEM;
	if (err) {
		kobject_put(mkw_kobj);
		put_page(mkw_page);
	}
	return err;
}

static void mkw_bin_exit(void)
{
	kobject_put(mkw_kobj);
	put_page(mkw_page);
}

/* The frame buffer: tells what page 0 began with when it was flushed. */

#if IS_REACHABLE(CONFIG_FB) && defined(CONFIG_FB_DEFERRED_IO)
#define MKW_FB_SIZE	(2 * PAGE_SIZE)

static struct fb_info *mkw_fb;
static unsigned int fb_byte;

module_param(fb_byte, uint, 0444);

static void mkw_fb_flush(struct fb_info *info, struct list_head *pages)
{
	struct fb_deferred_io_pageref *ref;

	list_for_each_entry(ref, pages, list) {
		if (!ref->offset)
			WRITE_ONCE(fb_byte, *(u8 *)info->screen_buffer);
	}
}

static struct fb_deferred_io mkw_fb_defio = {
	.delay		= 1,
	.deferred_io	= mkw_fb_flush,
};

static const struct fb_ops mkw_fb_ops = {
	.owner		= THIS_MODULE,
	.fb_mmap	= fb_deferred_io_mmap,
};

static int __init mkw_fb_init(void)
{
	int err = -ENOMEM;

	mkw_fb = framebuffer_alloc(0, NULL);
	if (!mkw_fb)
		return err;
	mkw_fb->screen_buffer = vzalloc(MKW_FB_SIZE);
	if (!mkw_fb->screen_buffer)
		goto free_info;
	strscpy(mkw_fb->fix.id, "mkwrite", sizeof(mkw_fb->fix.id));
	mkw_fb->fix.smem_len = MKW_FB_SIZE;
	mkw_fb->fix.type = FB_TYPE_PACKED_PIXELS;
	mkw_fb->fix.visual = FB_VISUAL_TRUECOLOR;
	mkw_fb->fix.line_length = 128;
	mkw_fb->var.xres = 32;
	mkw_fb->var.xres_virtual = 32;
	mkw_fb->var.yres = 64;
	mkw_fb->var.yres_virtual = 64;
	mkw_fb->var.bits_per_pixel = 32;
	mkw_fb->flags = FBINFO_VIRTFB;
	mkw_fb->fbops = &mkw_fb_ops;
	mkw_fb->fbdefio = &mkw_fb_defio;
	err = fb_deferred_io_init(mkw_fb);
	if (err)
		goto free_buffer;
	err = register_framebuffer(mkw_fb);
	if (!err)
		return 0;
	fb_deferred_io_cleanup(mkw_fb);
free_buffer:
	vfree(mkw_fb->screen_buffer);
free_info:
	framebuffer_release(mkw_fb);
	return err;
}

static void mkw_fb_exit(void)
{
	void *buffer = mkw_fb->screen_buffer;

	unregister_framebuffer(mkw_fb);
	fb_deferred_io_cleanup(mkw_fb);
	framebuffer_release(mkw_fb);
	vfree(buffer);
}
#else
static int __init mkw_fb_init(void)
{
	return 0;
}

static void mkw_fb_exit(void)
{
}
#endif

static int __init mkw_devices_init(void)
{
	int err = mkw_bin_init();

	if (err)
		return err;
	err = mkw_fb_init();
	if (err)
		mkw_bin_exit();
	return err;
}

static void __exit mkw_devices_exit(void)
{
	mkw_fb_exit();
	mkw_bin_exit();
}

module_init(mkw_devices_init);
module_exit(mkw_devices_exit);
MODULE_DESCRIPTION("Devices whose pages are not in a page cache");
MODULE_LICENSE("GPL");
