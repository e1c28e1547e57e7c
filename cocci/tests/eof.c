// SPDX-License-Identifier: GPL-2.0
// a folio that begins at i_size is taken for one inside the file
#include "kernel.h"

vm_fault_t bad_direct_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);

	if (folio_pos(page_folio(vmf->page)) > i_size_read(inode))
		return VM_FAULT_NOPAGE;
	return VM_FAULT_SIGBUS;
}

vm_fault_t bad_variable_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	loff_t size;

	size = i_size_read(inode);
	if (page_offset(vmf->page) > size)
		return VM_FAULT_NOPAGE;
	return VM_FAULT_SIGBUS;
}

vm_fault_t bad_both_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	loff_t start = page_offset(vmf->page);
	loff_t size = i_size_read(inode);

	if (size < start)
		return VM_FAULT_NOPAGE;
	return VM_FAULT_SIGBUS;
}

vm_fault_t bad_index_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);

	if (vmf->page->index > i_size_read(inode) >> PAGE_SHIFT)
		return VM_FAULT_NOPAGE;
	return VM_FAULT_SIGBUS;
}

vm_fault_t ok_equal_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);

	if (folio_pos(page_folio(vmf->page)) >= i_size_read(inode))
		return VM_FAULT_NOPAGE;
	return VM_FAULT_SIGBUS;
}

/* The end of the folio may lie beyond. */
vm_fault_t ok_end_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	loff_t size = i_size_read(inode);

	if (folio_pos(folio) + folio_size(folio) > size)
		return VM_FAULT_NOPAGE;
	return VM_FAULT_SIGBUS;
}

vm_fault_t ok_last_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	loff_t size = i_size_read(inode);

	if (vmf->page->index > (size - 1) >> PAGE_SHIFT)
		return VM_FAULT_NOPAGE;
	return VM_FAULT_SIGBUS;
}

/* Not a page_mkwrite handler: writing at i_size is allowed. */
int ok_write_begin(struct inode *inode, struct folio *folio)
{
	return folio_pos(folio) > i_size_read(inode);
}
