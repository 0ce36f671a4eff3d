/* empty - a program that does nothing: what starting a process costs. */
/* SPDX-License-Identifier: MPL-2.0 */

int main(void)
{
	return 0;
}
